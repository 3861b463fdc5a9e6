"""Detects a pooler before PostgreSQL. With a pooler, prepared statements may be lost."""

from typing import Any

from authserver.storage.database import Database


def meets_pooler(database: Database) -> bool:
    """Whether connections end at a pooler instead of the PostgreSQL process that answers.

    PostgreSQL sends the id of the serving process when a connection begins; PgBouncer sends an invented number.
    """
    if database.dialect != "postgresql":
        return False
    with database.read() as tx:
        driver: Any = tx.connection.dbapi_connection
        serving = tx.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        return bool(driver.info.backend_pid != serving)
