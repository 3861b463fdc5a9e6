"""Flask-Migrate's `db` commands on the engine that storage opened, for authors of migrations.

They are separate from `binding`, because they import Alembic, which a server does not need.
"""

from functools import partial
from typing import TYPE_CHECKING

from flask import Flask
from flask_migrate import Migrate

from authserver.storage import migrations
from authserver.storage.revision import find_directory

if TYPE_CHECKING:
    from authserver.web.binding import StorageSQLAlchemy


def add_migrate_commands(app: Flask) -> None:
    """Add the commands `flask db …` to `app`. Call `bind` on it before."""
    bound: StorageSQLAlchemy = app.extensions["sqlalchemy"]
    migrate = Migrate(directory=find_directory())
    migrate.configure(partial(migrations.attach, database=bound.database))
    migrate.init_app(app, bound)
