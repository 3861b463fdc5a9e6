"""Use cases: deleting what self-described clients leave behind, in small steps while serving, or all of it.

These are clients by URL that hold nothing any more, and tokens with which no further client registers.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, final

from authserver.storage import Database, described_clients, registration_tokens
from authserver.storage.prune import BATCH
from authserver.trusted_time import Trusted

KEPT: Final = timedelta(days=1)
"""How long a client by URL is kept that holds nothing, counted from when it was stored."""


@dataclass(frozen=True, slots=True)
class ClientsPruned:
    """How many clients by URL and registration tokens were removed, and the place to continue; None: all were seen."""

    clients: int
    tokens: int
    place: str | None


@final
class ClientPruning:
    """Endless pruning in small steps. Use it from one thread at a time."""

    __slots__ = ("_database", "_place")

    def __init__(self, database: Database) -> None:
        """Start at the first client."""
        self._database = database
        self._place: str | None = None

    def prune_a_little(self, at: Trusted) -> int:
        """Run one step from where the last one stopped; return how many clients it removed."""
        step = _prune_a_little(self._database, at.now, self._place)
        self._place = step.place
        return step.clients


def prune_all_clients(database: Database, at: Trusted) -> ClientsPruned:
    """Run steps until nothing is left to delete. Run it after `prune_all`, which removes what clients hold."""
    clients, tokens, place = 0, 0, None
    while True:
        step = _prune_a_little(database, at.now, place)
        clients, tokens, place = clients + step.clients, tokens + step.tokens, step.place
        if place is None and step.tokens < BATCH:
            return ClientsPruned(clients, tokens, None)


def _prune_a_little(database: Database, now: datetime, place: str | None) -> ClientsPruned:
    with database.write() as tx:
        step = described_clients.prune(tx, place or "", now - KEPT, limit=BATCH)
        tokens = registration_tokens.prune(tx, now, limit=BATCH)
    return ClientsPruned(step.count, tokens, step.place)
