"""The outbox: delivers what must reach somebody outside at least once. Does not write mails (see `mail`).

A delivery is queued in the transaction that causes it (`authserver/storage/deliveries.py`). `Outbox` makes it, puts it
off, or gives it up. Each kind of delivery is one file with a class that implements `Kind`, and one line in `list_kinds`
(`authserver/upkeep/work_outbox.py`).
"""
