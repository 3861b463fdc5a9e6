"""What commands work on, opened when a command first asks for it.

A command that only prints help reads no setting; one that lists users needs no key. Whatever is missing is an error
that the command line says in one line.
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
    """One installation, as the settings name it."""

    def __init__(self, clock: Clock | None = None, entropy: Entropy = SYSTEM_ENTROPY) -> None:
        """Open nothing."""
        self.clock = clock or SystemClock()
        self.entropy = entropy

    @cached_property
    def operator(self) -> Actor:
        """Who acts, in the audit record."""
        return Actor(this_operator())

    @cached_property
    def settings(self) -> Settings:
        """The settings, checked."""
        return load_settings()

    @cached_property
    def schema(self) -> Schema:
        """The schema of the database, whatever state it is in; for `init` and `db`."""
        return Schema(open_database(self.settings))

    @cached_property
    def current_schema(self) -> Schema:
        """The schema of the database, which is one that this release can work with."""
        if not self.schema.is_current():
            if self.schema.find_revision() is None:
                raise ClickException("the database is empty; run: authserver init")
            raise ClickException("the database does not have the schema of this release; run: authserver db upgrade")
        return self.schema

    @cached_property
    def custody(self) -> KeyCustody:
        """What the keys are kept with, sound or not."""
        return build_custody(self.settings, self.current_schema.database, clock=self.clock, entropy=self.entropy)

    @cached_property
    def realm(self) -> Realm:
        """The installation, with keys that can sign."""
        return build_realm(self.settings, self.custody)

    @cached_property
    def timekeeper(self) -> Timekeeper:
        """What says whether the clock can be trusted."""
        return Timekeeper(self.current_schema.database, self.clock)

    def trust_clock(self, *, confirmed: bool, longest_pause: timedelta = LONGEST_PAUSE) -> Trusted:
        """The time, for what destroys or rotates by it; refuses while the clock may be wrong and nobody confirms it."""
        if confirmed:
            return self.timekeeper.confirm()
        match self.timekeeper.look(longest_pause=longest_pause):
            case Trusted() as at:
                return at
            case Doubted(reason):
                raise ClickException(f"{reason}; if the clock is right, repeat the command with --confirm-clock")

    def create_master_key(self) -> Path:
        """Write a new master key into the folder of the settings and return its file."""
        return create_master_key(self.settings.keys_dir, now=self.clock.now(), entropy=self.entropy)

    def close(self) -> None:
        """Close what was opened, before a fork or at the end."""
        if "schema" in self.__dict__:
            self.schema.database.dispose()
