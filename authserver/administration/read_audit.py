"""Reading the audit record: page by page, and following it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import final

from authserver.records.audit import AuditFilter, AuditRecord
from authserver.storage import Database, audit

PAGE = 500

LOOK_BACK = timedelta(seconds=30)
"""A record that is committed now may be as old as the longest transaction, and as the clocks of two nodes differ."""


def list_audit(database: Database, wanted: AuditFilter, *, limit: int) -> Iterator[AuditRecord]:
    """Up to `limit` records, newest first, read page by page: no transaction stays open while somebody reads."""
    last: AuditRecord | None = None
    while limit > 0:
        with database.read() as tx:
            page = audit.list_page(tx, wanted, limit=min(limit, PAGE), after=last)
        yield from page
        if len(page) < min(limit, PAGE):
            return
        limit, last = limit - len(page), page[-1]


@final
class AuditTail:
    """The newest records and then those that are added, each once, oldest first."""

    def __init__(self, database: Database, wanted: AuditFilter) -> None:
        """Read nothing yet."""
        self._database = database
        self._wanted = wanted
        self._seen: dict[str, AuditRecord] = {}

    def read_newest(self, count: int) -> list[AuditRecord]:
        """The `count` newest records. What was there before counts as read."""
        newest = list(list_audit(self._database, self._wanted, limit=max(count, 1)))
        if newest:
            since = replace(self._wanted, since=newest[0].at - LOOK_BACK)
            self._remember([*list_audit(self._database, since, limit=_ALL), *newest[:1]])
        return newest[:count][::-1]

    def read_added(self) -> list[AuditRecord]:
        """What was added since the last call."""
        newest = max((record.at for record in self._seen.values()), default=None)
        wanted = self._wanted if newest is None else replace(self._wanted, since=newest - LOOK_BACK)
        added = [
            record for record in list_audit(self._database, wanted, limit=_ALL) if record.event_id not in self._seen
        ]
        self._remember(added)
        return added[::-1]

    def _remember(self, records: list[AuditRecord]) -> None:
        self._seen |= {record.event_id: record for record in records}
        newest = max((record.at for record in self._seen.values()), default=None)
        if newest is not None:
            self._seen = {key: record for key, record in self._seen.items() if record.at >= newest - LOOK_BACK}


_ALL = 1_000_000
