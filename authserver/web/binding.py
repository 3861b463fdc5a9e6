"""Flask-SQLAlchemy and Flask-Migrate on the engine that storage opened, for those who develop the server.

`flask --app authserver.app:create_wsgi db revision --autogenerate -m "…"` writes the next migration, `flask … shell`
has a session at hand. No door and no use case works through either of them: there is one pool and one way to write.
"""

from functools import partial
from typing import TYPE_CHECKING, Any

from flask import Flask
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy

from authserver.storage import Database, migrations
from authserver.storage.schema import Base

if TYPE_CHECKING:
    from sqlalchemy import Engine


class StorageSQLAlchemy(SQLAlchemy):
    """Flask-SQLAlchemy without an engine of its own."""

    def __init__(self, database: Database) -> None:
        """Speak of the tables of storage, to the database that storage opened."""
        self._database = database
        super().__init__(metadata=Base.metadata)

    def _make_engine(self, bind_key: str | None, options: dict[str, Any], app: Flask) -> "Engine":  # noqa: ARG002 - the name and shape that Flask-SQLAlchemy calls
        return self._database.engine


def bind(app: Flask, database: Database) -> StorageSQLAlchemy:
    """Give `app` Flask-SQLAlchemy's session and Flask-Migrate's `db` commands on `database`."""
    # Asked for by Flask-SQLAlchemy and opened by nobody. A URL value hides its password from whoever prints it.
    app.config["SQLALCHEMY_DATABASE_URI"] = database.engine.url
    bound = StorageSQLAlchemy(database)
    bound.init_app(app)
    migrate = Migrate(directory=migrations.find_directory())
    migrate.configure(partial(migrations.attach, database=database))
    migrate.init_app(app, bound)
    return bound
