"""Connections to PostgreSQL that give up by themselves. Imported only where PostgreSQL is used.

`statement_timeout` and `lock_timeout` are kept by the server, as long as it runs; the deadline here holds when it does
not. libpq has no such deadline, and TCP notices only a peer whose kernel is silent, too.
"""

from typing import Any, Final, TypeVar

from psycopg import Connection, OperationalError
from psycopg import sql as literal_sql
from psycopg.errors import _WaitTimeout

from authserver.clock import SystemClock
from authserver.patience import seconds_left, spend

Result = TypeVar("Result")

CONNECT_SECONDS: Final = 2
"""For each host that the URL names: the least that libpq knows."""

_OPTIONS: Final = (
    # Durable before the answer leaves, whatever the server's default is.
    "-c synchronous_commit=on "
    # A request that the database cannot serve ends as a 503 instead of holding a thread. Shorter than the deadline at
    # this end, which costs the connection.
    "-c statement_timeout=4000 -c lock_timeout=3000 "
    # A worker that stands still in the middle of a transaction keeps others from the rows that it has locked.
    "-c idle_in_transaction_session_timeout=5000"
)
CONNECT_ARGUMENTS: Final = {"autocommit": True, "connect_timeout": CONNECT_SECONDS, "options": _OPTIONS}

_monotonic = SystemClock().monotonic


class PatientConnection(Connection[Any]):
    """Waits for an answer as long as `patience` allows, then closes itself: what still arrives answers nobody."""

    waits_for_ever = False
    """Set for a migration, which takes as long as it takes."""

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:  # noqa: ANN401 - the driver's
        """See `psycopg.Connection.wait`: everything that is sent to the server is waited for here."""
        if self.waits_for_ever:
            return super().wait(gen, interval, timeout)
        since = _monotonic()
        try:
            return super().wait(gen, interval, seconds_left())
        except _WaitTimeout as error:
            self.close()
            raise OperationalError("the database did not answer in time") from error
        finally:
            spend(since)


def connect(*arguments: Any, **parameters: Any) -> PatientConnection:  # noqa: ANN401 - SQLAlchemy's own
    """Connect as `psycopg.connect`, which has its own deadline, and count the wait."""
    since = _monotonic()
    try:
        return PatientConnection.connect(*arguments, **parameters)
    finally:
        spend(since)


def write_and_commit(connection: Connection[Any], statement: str, values: tuple[object, ...]) -> None:
    """Execute `statement`, with `values` for its `{}`, and COMMIT, in one message.

    The server goes on from the one to the other without asking: what the statement locks is locked for no longer than
    the server takes, even if this process stands still meanwhile.
    """
    template = literal_sql.SQL(statement + "; COMMIT")
    connection.execute(template.format(*map(literal_sql.Literal, values)))
