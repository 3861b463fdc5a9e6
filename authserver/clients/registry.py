"""Client records in memory, so that the hot path asks the database once.

A record, and the set of all origins, is at most `MAX_AGE` old. What must bite at once (`disabled_at`) is read in the
database by the statements themselves; a client that is not found is not remembered, or a stranger could fill the memory
with names.
"""

from contextlib import suppress

from authserver.clock import Clock
from authserver.storage import Database, StorageUnavailableError, clients
from authserver.storage.clients import Client

MAX_AGE = 5.0
"""Seconds for which a record may be served from memory."""


class ClientRegistry:
    """Finds clients; safe to share between threads (a dict is replaced entry by entry, the worst is a second look)."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """Read through to `database`."""
        self._database = database
        self._clock = clock
        self._cached: dict[str, tuple[float, Client]] = {}
        self._origins: tuple[float, frozenset[str]] = (float("-inf"), frozenset())

    def find(self, client_id: str) -> Client | None:
        """The client with this id, up to `MAX_AGE` seconds old, or None."""
        now = self._clock.monotonic()
        cached = self._cached.get(client_id)
        if cached is not None and now - cached[0] < MAX_AGE:
            return cached[1]
        with self._database.read() as tx:
            client = clients.find(tx, client_id)
        if client is None:
            self._cached.pop(client_id, None)
        else:
            self._cached[client_id] = (now, client)
        return client

    def allows_origin(self, origin: str) -> bool:
        """Whether an enabled client registered this browser origin, compared exactly.

        All origins are read at once: asking for each one would let a stranger with many names keep the database busy,
        and remembering the answers would let him fill the memory. While the database is away, what was read last
        holds, or a page could not even read the 503.
        """
        now = self._clock.monotonic()
        read_at, origins = self._origins
        if now - read_at >= MAX_AGE:
            with suppress(StorageUnavailableError), self._database.read() as tx:
                origins = clients.list_origins(tx)
            self._origins = (now, origins)
        return origin in origins
