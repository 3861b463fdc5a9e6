"""Connections to PostgreSQL with a deadline of their own. Imported only where PostgreSQL is used.

The server enforces `statement_timeout` and `lock_timeout` while it runs; the deadline here covers a server that hangs.
libpq has no such deadline, and TCP notices only a peer whose kernel is silent, too.
"""

from typing import Any, Final, TypeVar

from psycopg import Connection, OperationalError
from psycopg import sql as literal_sql
from psycopg.errors import _WaitTimeout

from authserver.clock import SystemClock
from authserver.patience import seconds_left, spend

Result = TypeVar("Result")

CONNECT_SECONDS: Final = 2
"""Seconds for each host that the URL names; the smallest value that libpq accepts."""

_OPTIONS: Final = (
    # Durable before the answer leaves, even if the server's default is otherwise.
    "-c synchronous_commit=on "
    # A request that the database cannot serve ends as a 503 and does not block a thread. These are shorter than the
    # deadline of this module, which costs the connection.
    "-c statement_timeout=4000 -c lock_timeout=3000 "
    # A worker that hangs within a transaction would keep its row locks.
    "-c idle_in_transaction_session_timeout=5000"
)
CONNECT_ARGUMENTS: Final = {"autocommit": True, "connect_timeout": CONNECT_SECONDS, "options": _OPTIONS}

_monotonic = SystemClock().monotonic


class PatientConnection(Connection[Any]):
    """A connection that waits as long as `patience` allows, then closes itself. A later answer is discarded."""

    waits_for_ever = False
    """True for a migration, which may take any time."""

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:  # noqa: ANN401 - the driver's
        """Wait for the server (overrides `psycopg.Connection.wait`, through which every wait passes)."""
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
    """Connect with `psycopg.connect`, which has its own deadline, and count the waiting time."""
    since = _monotonic()
    try:
        return PatientConnection.connect(*arguments, **parameters)
    finally:
        spend(since)


def write_and_commit(connection: Connection[Any], statement: str, values: tuple[object, ...]) -> None:
    """Execute `statement`, with `values` for its `{}`, and COMMIT, in one message.

    The server runs both without waiting for this process in between. So the locks of the statement last no longer than
    the server takes, even if this process hangs meanwhile.
    """
    template = literal_sql.SQL(statement + "; COMMIT")
    connection.execute(template.format(*map(literal_sql.Literal, values)))
