"""Flask-SQLAlchemy on the engine that storage opened, for those who develop the server.

`flask --app authserver.development shell` has a session at hand. No door and no use case works through it: there is
one pool and one way to write.
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
        """Speak of the tables of storage, to the database that storage opened."""
        self.database = database
        super().__init__(metadata=Base.metadata)

    def _make_engine(self, bind_key: str | None, options: dict[str, Any], app: Flask) -> "Engine":  # noqa: ARG002 - the name and shape that Flask-SQLAlchemy calls
        return self.database.engine


def bind(app: Flask, database: Database) -> StorageSQLAlchemy:
    """Give `app` Flask-SQLAlchemy's session on `database`."""
    # Asked for by Flask-SQLAlchemy and opened by nobody. A URL value hides its password from whoever prints it.
    app.config["SQLALCHEMY_DATABASE_URI"] = database.engine.url
    bound = StorageSQLAlchemy(database)
    bound.init_app(app)
    return bound
