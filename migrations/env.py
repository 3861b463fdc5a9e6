"""Run by Alembic for each command. The database comes in `config.attributes`; no application, settings or logging here.

`authserver.storage.migrations` puts it there for operators, `authserver.web.migrating` for developers.
"""

from alembic import context
from alembic.operations.ops import MigrationScript
from alembic.runtime.migration import MigrationContext
from alembic.util import CommandError

from authserver.storage import Database
from authserver.storage.migrations import COMPARISON, hold
from authserver.storage.revision import number_after
from authserver.storage.schema import Base


def number(migration: MigrationContext, _revision: object, directives: list[MigrationScript]) -> None:
    """Name a new revision by its number, because nodes compare revisions by order (`revision.is_current`)."""
    for script in directives:
        script.rev_id = number_after(migration.get_current_revision())


def run() -> None:
    """Run the command's steps in one transaction that shuts out every other migration."""
    database = context.config.attributes.get("database")
    if context.is_offline_mode() or not isinstance(database, Database):
        raise CommandError("migrations run against an open database: authserver db upgrade")
    with hold(database) as connection:
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            process_revision_directives=number,
            # SQLite cannot alter most of a table; Alembic copies it instead.
            render_as_batch=True,
            **COMPARISON,
        )
        with context.begin_transaction():
            context.run_migrations()


run()
