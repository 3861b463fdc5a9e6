"""What the rooms raise about a broken world, as the lines that an operator reads."""

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


def tell_broken_world(error: Exception) -> click.ClickException | None:
    """What to print instead of a traceback; None for a mistake of ours."""
    match error:
        case SettingsError():
            return _Problems(error.problems)
        case StorageUnavailableError():
            return click.ClickException(_say(error))
        case KeyringError() | UnknownRevisionError() | UnusableCountersError() | UnusableTemplateError():
            return click.ClickException(str(error))
        case OSError(filename=None):
            return None  # no file's: a mistake of ours, or a reader who has gone
        case OSError():
            return click.ClickException(f"{error.filename}: {error.strerror}")
        case _:
            return None


def _say(error: StorageUnavailableError) -> str:
    # What the driver says comes wrapped once or twice, names host and user, and never a password.
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    reason = (str(cause).strip().splitlines() or [""])[0]
    return f"{error}: {reason}" if cause is not error else str(error)
