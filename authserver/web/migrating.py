"""Flask-Migrate's `db` commands on the engine that storage opened, for those who write migrations.

Apart from `binding`, because it brings Alembic, which nobody needs who serves.
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
    """Give `app`, which `bind` has bound, the commands `flask db …`."""
    bound: StorageSQLAlchemy = app.extensions["sqlalchemy"]
    migrate = Migrate(directory=find_directory())
    migrate.configure(partial(migrations.attach, database=bound.database))
    migrate.init_app(app, bound)
