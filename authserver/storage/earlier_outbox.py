"""The table `outbox` of release 0.1: moves mails and requests for mails from there to `deliveries`.

During a rolling upgrade, nodes of release 0.1 still queue and send in `outbox`. Only rows that are due are moved: the
others are claimed or put off by such a node. A later release removes this file and the table.
"""

import json
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, select

from authserver.records.delivery import Delivery, Rank
from authserver.records.mail_request import MailRequest
from authserver.records.queued_mail import QueuedMail
from authserver.storage import deliveries
from authserver.storage.deliveries import is_due
from authserver.storage.picking import pick_free
from authserver.storage.schema import OutboxMail

_O = OutboxMail.__table__.c
_REQUEST: Final = "wish:"
_AT_ONCE: Final = 100


def is_any_left(tx: Connection, now: datetime) -> bool:
    """Whether a row is due. Takes no lock."""
    return bool(tx.execute(select(select(_O.mail_id).where(is_due(_O.due_at, now)).exists())).scalar_one())


def move_some(tx: Connection, now: datetime) -> None:
    """Move some of the due rows, with the attempts that were made."""
    left = select(_O.mail_id).where(is_due(_O.due_at, now)).order_by(_O.rank, _O.due_at).limit(_AT_ONCE)
    for row in tx.execute(delete(OutboxMail).where(_O.mail_id.in_(pick_free(left))).returning(*_O)).all():
        deliveries.queue(tx, _translate(row), row.queued_at, rank=Rank(row.rank), due_at=row.due_at)


def _translate(row: Row[Any]) -> Delivery:
    parameters = json.loads(row.parameters)
    if row.template.startswith(_REQUEST):
        queued: MailRequest | QueuedMail = MailRequest(
            row.mail_id, row.template.removeprefix(_REQUEST), row.address, parameters
        )
    else:
        queued = QueuedMail(row.mail_id, row.template, row.address, row.link_id, parameters)
    return replace(queued.as_delivery(), attempts=row.attempts)
