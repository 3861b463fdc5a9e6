"""How the command line says that a use case refused: one line for each thing that is wrong, exit status 1."""

from typing import TypeVar

import click

from authserver.realm.outcomes import Invalid, Refused, TryLater

Outcome = TypeVar("Outcome")


def refuse(outcome: Outcome | Refused | Invalid | TryLater) -> Outcome:
    """What was done, or the end of the command with what is wrong."""
    match outcome:
        case Refused(message=message):
            raise click.ClickException(message)
        case Invalid(errors):
            raise click.ClickException("; ".join(f"{error.field}: {error.message}" for error in errors))
        case TryLater():
            raise click.ClickException("the server is busy; try again in a moment")
        case _:
            return outcome
