"""Use case: deleting what self-described clients leave behind, in small steps while serving.

These are clients by URL that hold nothing any more, and tokens with which no further client registers.
"""

from datetime import timedelta
from typing import Final, final

from authserver.storage import Database, described_clients, registration_tokens
from authserver.storage.prune import BATCH
from authserver.trusted_time import Trusted

KEPT: Final = timedelta(days=1)
"""How long a client by URL is kept that holds nothing, counted from when it was stored."""


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
        with self._database.write() as tx:
            step = described_clients.prune(tx, self._place or "", at.now - KEPT, limit=BATCH)
            registration_tokens.prune(tx, at.now, limit=BATCH)
        self._place = step.place
        return step.count
