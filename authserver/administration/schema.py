"""The schema of an installation's database: what an operator asks about it and does to it.

Changing and comparing it needs Alembic, which is a tenth of a worker's memory: those acts import it when they run.
"""

from dataclasses import dataclass

from authserver.storage import Database, revision


@dataclass(frozen=True, slots=True)
class Upgraded:
    """The revisions before and after an upgrade; `before` is None where there was no schema."""

    before: str | None
    now: str | None


@dataclass(frozen=True, slots=True)
class Schema:
    """The schema that `database` has, and the one that this release needs."""

    database: Database

    def find_revision(self) -> str | None:
        """The revision that the database is at; None where no migration has run."""
        return revision.current(self.database)

    def needed(self) -> str:
        """The revision that this release works with."""
        return revision.head()

    def is_current(self) -> bool:
        """Whether this release can work with the schema. A newer one does, too."""
        return revision.is_current(self.database)

    def upgrade(self) -> Upgraded:
        """Bring the schema to this release; one that is newer stays as it is.

        Raises:
            UnknownRevisionError: the schema is of no release.
            StorageUnavailableError: the database is away, or others hold its tables for too long.
        """
        from authserver.storage import migrations

        before = migrations.upgrade(self.database)
        return Upgraded(before, self.find_revision())

    def list_differences(self) -> list[str]:
        """How the tables differ from what this release expects, one sentence each."""
        from authserver.storage import migrations

        return migrations.check(self.database)
