"""Messages for errors of the environment: settings, database, keys, files, templates."""

import sys
from typing import Any

import click

from authserver.config import SettingsError
from authserver.keyring.errors import KeyringError
from authserver.mail.compose import UnusableTemplateError
from authserver.records.failures import StorageUnavailableError, UnknownRevisionError
from authserver.web.limits.node_counters import UnusableCountersError


class _Problems(click.ClickException):
    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))

    def show(self, file: Any = None) -> None:  # noqa: ANN401 - click's own signature
        click.echo(self.message, file=file or sys.stderr)


def explain_broken_world(error: Exception) -> click.ClickException | None:
    """Find the message to print instead of a traceback; None for a bug in this program."""
    match error:
        case SettingsError():
            return _Problems(error.problems)
        case StorageUnavailableError():
            return click.ClickException(_say(error))
        case KeyringError() | UnknownRevisionError() | UnusableCountersError() | UnusableTemplateError():
            return click.ClickException(str(error))
        case OSError(filename=None):
            return None  # no file is involved: a bug in this program, or a closed pipe
        case OSError():
            return click.ClickException(f"{error.filename}: {error.strerror}")
        case _:
            return None


def _say(error: StorageUnavailableError) -> str:
    # The driver's message is wrapped once or twice. It may name host and user, but never a password.
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    reason = (str(cause).strip().splitlines() or [""])[0]
    return f"{error}: {reason}" if cause is not error else str(error)
