"""Inspects and upgrades the database schema of an installation, for operators.

Upgrades and comparisons need Alembic, which takes a tenth of a worker's memory, so they import it when they run.
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
    """The schema of `database`, compared with the schema that this release needs."""

    database: Database

    def find_revision(self) -> str | None:
        """Find the revision of the database; None if no migration has run."""
        return revision.current(self.database)

    def needed(self) -> str:
        """The revision that this release needs."""
        return revision.head()

    def is_current(self) -> bool:
        """Whether this release can work with the schema, which may be newer."""
        return revision.is_current(self.database)

    def upgrade(self) -> Upgraded:
        """Upgrade the schema to this release. A newer schema stays unchanged.

        Raises:
            UnknownRevisionError: the schema belongs to no release.
            StorageUnavailableError: the database is unreachable, or others lock its tables for too long.
        """
        from authserver.storage import migrations

        before = migrations.upgrade(self.database)
        return Upgraded(before, self.find_revision())

    def list_differences(self) -> list[str]:
        """List the differences between the tables and what this release expects, one sentence each."""
        from authserver.storage import migrations

        return migrations.check(self.database)
