"""Commands that are imported only when they run. The top-level help and completion import none of them."""

import gc
import sys
from importlib import import_module
from types import ModuleType
from typing import Final

import click


class LateCommand(click.Command):
    """A placeholder for the command `name` in the module `authserver.cli.name`, until it is run.

    Args:
        name: the name of the command, of its module, and of the object in the module.
        summary: the first sentence of the command's help.
    """

    def __init__(self, name: str, summary: str) -> None:
        """Store the name and the summary; import nothing yet."""
        super().__init__(name, help=summary)

    def load(self) -> click.Command:
        """Import the module and return the command."""
        command: click.Command = getattr(_load_module(f"authserver.cli.{self.name}"), str(self.name))
        return command


class LateGroup(click.Group):
    """A group that lists its commands by their summaries, and loads only the command that is run."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that `args` begin with, and load it."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, command.load() if isinstance(command, LateCommand) else command, rest


def _load_module(name: str) -> ModuleType:
    if name in sys.modules:
        return sys.modules[name]
    # Imported modules stay in memory. Collecting garbage among them would take a fifth of the start, and later it would
    # copy memory that the workers share.
    gc.disable()
    try:
        return import_module(name)
    finally:
        gc.freeze()
        gc.enable()


COMMANDS: Final = (
    LateCommand("init", "Create what a server needs: database, master key, first keys, first-party client."),
    LateCommand("serve", "Serve until SIGTERM or Ctrl-C, then finish the requests in flight."),
    LateCommand("keys", "Signing keys (for access tokens and ID tokens) and MAC keys (for refresh tokens)."),
    LateCommand("users", "Users, named by e-mail address or id."),
    LateCommand("clients", "OAuth clients: applications that sign people in, and resource servers."),
    LateCommand("sessions", "Live sessions: one sign-in of one user on one device."),
    LateCommand("policy", "The revocation policy: which credential event ends what."),
    LateCommand("db", "The database's schema, its old rows and its backups."),
    LateCommand("audit", "The audit record, kept for AUTHSERVER_AUDIT_RETENTION seconds."),
)
