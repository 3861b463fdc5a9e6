"""Client records in memory, so that the hot path asks the database once.

Records, and the set of all origins, are at most `MAX_AGE` old. What must take effect at once (`disabled_at`) is read
from the database by the statements themselves. An unknown client is not remembered, or a stranger could fill the memory
with names.
"""

import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from authserver.clock import NEVER, Clock, Reading
from authserver.patience import TURN_SECONDS, serving
from authserver.records.client import Client, ClientOrigins
from authserver.records.client_document import NO_TERMS, Terms
from authserver.records.failures import StorageUnavailableError
from authserver.storage import Database, clients

MAX_AGE = 5.0
"""Seconds for which a record may be served from memory."""


@dataclass(frozen=True, slots=True)
class Origins:
    """The allowed browser origins, compared exactly: of each client, of first-party clients, and of all clients."""

    by_client: Mapping[str, frozenset[str]]
    first_party: frozenset[str]
    all: frozenset[str]

    @classmethod
    def of(cls, listed: Iterable[ClientOrigins]) -> "Origins":
        """Group the origins that the database lists."""
        known = tuple(listed)
        return cls(
            {client.client_id: client.origins for client in known},
            frozenset().union(*(client.origins for client in known if client.first_party)),
            frozenset().union(*(client.origins for client in known)),
        )


class ClientRegistry:
    """Finds clients; safe to share between threads (dict entries are replaced singly; at worst, one is read twice)."""

    def __init__(self, database: Database, clock: Clock, terms: Terms = NO_TERMS) -> None:
        """Read clients from `database` on demand. `terms` limit clients by URL."""
        self._database = database
        self._clock = clock
        self._terms = terms
        self._cached: dict[str, tuple[Reading, Client]] = {}
        self._reading_origins = threading.Lock()
        self._origins: tuple[Reading, Origins] = (NEVER, Origins({}, frozenset(), frozenset()))

    def find(self, client_id: str) -> Client | None:
        """The client with this id, up to `MAX_AGE` seconds old, or None."""
        cached = self._cached.get(client_id)
        if cached is not None and cached[0].age(self._clock) < MAX_AGE:
            return cached[1]
        asked = Reading.of(self._clock)
        with self._database.read() as tx:
            client = clients.find(tx, client_id)
        if client is None:
            self._cached.pop(client_id, None)
        else:
            client = self._terms.limit(client)
            self._cached[client_id] = (asked, client)
        return client

    def find_enabled(self, client_id: str) -> Client | None:
        """The client with this id, if it is enabled; up to `MAX_AGE` seconds old."""
        client = self.find(client_id)
        return client if client is not None and client.is_enabled else None

    def find_origins(self) -> Origins:
        """The browser origins of all enabled clients.

        All origins are read at once. With one query per origin, a stranger with many origins could keep the database
        busy; with remembered answers, they could fill the memory. While the database is unreachable, the last set stays
        in force, or a page could not even read the 503.
        """
        if self._origins[0].age(self._clock) >= MAX_AGE:
            self._read_origins()
        return self._origins[1]

    def _read_origins(self) -> None:
        """Read the origins again, in one thread only; other threads continue with the old set meanwhile."""
        if not self._reading_origins.acquire(blocking=False):
            return
        try:
            asked, origins = Reading.of(self._clock), self._origins[1]
            with suppress(StorageUnavailableError), serving("origins", TURN_SECONDS), self._database.read() as tx:
                origins = Origins.of(clients.list_origins(tx))
            self._origins = (asked, origins)
        finally:
            self._reading_origins.release()
