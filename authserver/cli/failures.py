"""Messages for refusals of use cases: one line on stderr with all errors, and exit status 1."""

from typing import TypeVar

import click

from authserver.realm.outcomes import Invalid, Refused, TryLater

Outcome = TypeVar("Outcome")


def refuse(outcome: Outcome | Refused | Invalid | TryLater) -> Outcome:
    """Return `outcome` if it is a success.

    Raises:
        ClickException: it is a refusal; the message names all errors.
    """
    match outcome:
        case Refused(message=message):
            raise click.ClickException(message)
        case Invalid(errors):
            raise click.ClickException("; ".join(f"{error.field}: {error.message}" for error in errors))
        case TryLater():
            raise click.ClickException("the server is busy; try again in a moment")
        case _:
            return outcome
