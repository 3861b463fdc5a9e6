"""Reads the audit record page by page, and follows it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import final

from authserver.records.audit import AuditFilter, AuditRecord
from authserver.storage import Database, audit

PAGE = 500

LOOK_BACK = timedelta(seconds=30)
"""The greatest age of a record at its commit: the longest transaction, and the clock difference of two nodes."""


def list_audit(database: Database, wanted: AuditFilter, *, limit: int) -> Iterator[AuditRecord]:
    """List up to `limit` records, newest first, page by page: no transaction stays open while the caller reads."""
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
    """Follows the audit record: first the newest records, then added ones, each once, oldest first."""

    def __init__(self, database: Database, wanted: AuditFilter) -> None:
        """Read nothing yet."""
        self._database = database
        self._wanted = wanted
        self._seen: dict[str, AuditRecord] = {}

    def read_newest(self, count: int) -> list[AuditRecord]:
        """Read the `count` newest records. All earlier records count as read."""
        newest = list(list_audit(self._database, self._wanted, limit=max(count, 1)))
        if newest:
            since = replace(self._wanted, since=newest[0].at - LOOK_BACK)
            self._remember([*list_audit(self._database, since, limit=_ALL), *newest[:1]])
        return newest[:count][::-1]

    def read_added(self) -> list[AuditRecord]:
        """Read the records that were added since the last call."""
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
