"""Clients that refresh without pause, and record what they received."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import func, select

from authserver.storage import Database
from authserver.storage.schema import RefreshTokenFamily
from tests.support.people.device import Device, register
from tests.support.people.refreshing import end_rest
from tests.support.wire.http import Answer
from tests.support.world.databases import opened
from tests.support.world.processes import PATIENCE
from tests.support.world.server import Server


@dataclass(frozen=True, slots=True)
class Cut:
    """A request whose connection broke; `sent_at` on the monotonic clock."""

    sent_at: float


class RefreshingClient:
    """Rotates and keeps the newest refresh token; after a broken connection, sends it once more."""

    def __init__(self, server: Server, database: Database) -> None:
        """Sign in as a new user. Each refresh first ends the rest of the family in `database`."""
        self._database = database
        self.device = Device(server, register(server))
        self.successors: list[str] = []
        self.cuts: list[Cut] = []

    def refresh(self) -> None:
        """Refresh once; after a broken connection, retry with the same refresh token, as documented."""
        end_rest(self._database, self.device.sid)
        sent_at = time.monotonic()
        held = self.device.refresh_token
        try:
            answer = self.device.refresh()
        except ConnectionError:
            self.cuts.append(Cut(sent_at))
            answer = self.device.refresh()
        self._keep(held, answer)

    def refresh_until(self, stop: threading.Event, *, retry: bool = True) -> None:
        """Refresh until `stop` is set, or without `retry` until the first broken connection."""
        while not stop.is_set():
            if retry:
                self.refresh()
                continue
            end_rest(self._database, self.device.sid)
            sent_at = time.monotonic()
            held = self.device.refresh_token
            try:
                self._keep(held, self.device.refresh())
            except ConnectionError:
                self.cuts.append(Cut(sent_at))
                return

    def _keep(self, held: str, answer: Answer) -> None:
        successor = answer.json["refresh_token"]
        assert successor != held
        assert successor not in self.successors, "a generation was answered twice"
        self.successors.append(successor)


@contextmanager
def refreshing(server: Server, clients: int, *, retry: bool = True) -> Iterator[list[RefreshingClient]]:
    """Run clients that rotate during the block; raise their first error at its end."""
    stop = threading.Event()
    with opened(server.installation.database_url) as database, ThreadPoolExecutor(clients) as threads:
        made = [RefreshingClient(server, database) for _ in range(clients)]
        running: list[Future[None]] = [threads.submit(client.refresh_until, stop, retry=retry) for client in made]
        try:
            yield made
        finally:
            stop.set()
            for one in running:
                one.result(PATIENCE)
            for client in made:
                client.device.close()


def assert_no_fork(server: Server, clients: list[RefreshingClient]) -> None:
    """Assert that each family has exactly the successors that its client has received (invariant I1)."""
    with opened(server.installation.database_url) as database, database.read() as tx:
        generations = sorted(tx.execute(select(RefreshTokenFamily.generation)).scalars())
        ended = tx.execute(select(func.count(RefreshTokenFamily.ended_at))).scalar_one()
    assert generations == sorted(1 + len(client.successors) for client in clients)
    assert ended == 0, "nobody ended anything (invariant I4)"
