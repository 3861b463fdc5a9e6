"""Flask-SQLAlchemy on the engine that storage opened, for developers of the server.

`flask --app authserver.development shell` offers its session. No door and no use case uses it, so that there is one
pool and one way to write.
"""

from typing import TYPE_CHECKING, Any

from flask import Flask
from flask_sqlalchemy import SQLAlchemy

from authserver.storage import Database
from authserver.storage.schema import Base

if TYPE_CHECKING:
    from sqlalchemy import Engine


class StorageSQLAlchemy(SQLAlchemy):
    """Flask-SQLAlchemy without an engine of its own."""

    def __init__(self, database: Database) -> None:
        """Use the tables and the engine of `database`."""
        self.database = database
        super().__init__(metadata=Base.metadata)

    def _make_engine(self, bind_key: str | None, options: dict[str, Any], app: Flask) -> "Engine":  # noqa: ARG002 - Flask-SQLAlchemy sets the signature
        return self.database.engine


def bind(app: Flask, database: Database) -> StorageSQLAlchemy:
    """Give `app` Flask-SQLAlchemy's session on `database`."""
    # Flask-SQLAlchemy requires a URL, but nothing opens it. A URL object hides its password when it is printed.
    app.config["SQLALCHEMY_DATABASE_URI"] = database.engine.url
    bound = StorageSQLAlchemy(database)
    bound.init_app(app)
    return bound
