"""Whether a pooler stands before PostgreSQL, which decides whether prepared statements can be kept there."""

from typing import Any

from authserver.storage.database import Database


def meets_pooler(database: Database) -> bool:
    """Whether connections end at something else than the process of PostgreSQL that answers.

    A server names the process that serves a connection when it begins; PgBouncer makes a number up for itself.
    """
    if database.dialect != "postgresql":
        return False
    with database.read() as tx:
        driver: Any = tx.connection.dbapi_connection
        serving = tx.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        return bool(driver.info.backend_pid != serving)
