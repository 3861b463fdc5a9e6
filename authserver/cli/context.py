"""The objects that commands work on. Each is opened when a command first uses it.

So a command that only prints help reads no setting, and one that lists users needs no key. If something is missing, the
command line reports it in one line.
"""

from datetime import timedelta
from functools import cached_property
from pathlib import Path

from click import ClickException

from authserver.administration.schema import Schema
from authserver.assembly import SYSTEM_ENTROPY, build_custody, build_realm, open_database
from authserver.cli.operator import this_operator
from authserver.clock import Clock, SystemClock
from authserver.config import Settings, load_settings
from authserver.custody.key_custody import KeyCustody
from authserver.keyring.master_files import create_master_key
from authserver.protocol.entropy import Entropy
from authserver.realm import Realm
from authserver.records.audit import Actor
from authserver.trusted_time import LONGEST_PAUSE, Doubted, Trusted
from authserver.upkeep.keep_time import Timekeeper


class Context:
    """The installation that the settings describe."""

    def __init__(self, clock: Clock | None = None, entropy: Entropy = SYSTEM_ENTROPY) -> None:
        """Open nothing yet."""
        self.clock = clock or SystemClock()
        self.entropy = entropy

    @cached_property
    def operator(self) -> Actor:
        """The actor for audit records."""
        return Actor(this_operator())

    @cached_property
    def settings(self) -> Settings:
        """The validated settings."""
        return load_settings()

    @cached_property
    def schema(self) -> Schema:
        """The schema of the database in any state, for `init` and `db`."""
        return Schema(open_database(self.settings))

    @cached_property
    def current_schema(self) -> Schema:
        """The schema of the database, if this release can work with it.

        Raises:
            ClickException: the database is empty, or has the schema of another release.
        """
        if not self.schema.is_current():
            if self.schema.find_revision() is None:
                raise ClickException("the database is empty; run: authserver init")
            raise ClickException("the database does not have the schema of this release; run: authserver db upgrade")
        return self.schema

    @cached_property
    def custody(self) -> KeyCustody:
        """The custody of the keys. It is not checked whether a key can sign."""
        return build_custody(self.settings, self.current_schema.database, clock=self.clock, entropy=self.entropy)

    @cached_property
    def realm(self) -> Realm:
        """The realm. Its keys must be able to sign."""
        return build_realm(self.settings, self.custody)

    @cached_property
    def timekeeper(self) -> Timekeeper:
        """The judge of the clock of this process."""
        return Timekeeper(self.current_schema.database, self.clock)

    def trust_clock(self, *, confirmed: bool, longest_pause: timedelta = LONGEST_PAUSE) -> Trusted:
        """Return the time, for commands that delete data or rotate keys by it.

        Raises:
            ClickException: the clock may be wrong, and the operator does not confirm it.
        """
        if confirmed:
            return self.timekeeper.confirm()
        match self.timekeeper.look(longest_pause=longest_pause):
            case Trusted() as at:
                return at
            case Doubted(reason):
                raise ClickException(f"{reason}; if the clock is right, repeat the command with --confirm-clock")

    def create_master_key(self) -> Path:
        """Write a new master key into the folder that the settings name, and return its file."""
        return create_master_key(self.settings.keys_dir, now=self.clock.now(), entropy=self.entropy)

    def close(self) -> None:
        """Close all connections, before a fork or at the end."""
        if "schema" in self.__dict__:
            self.schema.database.dispose()
