"""Plain sentences about what happened."""

from http import HTTPStatus
from typing import Final

from authserver.accounts.outcomes import EMAIL_TAKEN, Refused, TryLater
from authserver.revocation import Receipt
from authserver.web.pages.blueprint import Told

DEAD_LINK: Final = Told(
    "This link does not work any more",
    (
        "Links work once and for a limited time, and some stop working when something else about the account changes.",
        "Nothing was changed.",
    ),
    HTTPStatus.BAD_REQUEST,
    offers_reset=True,
)
TAKEN: Final = Told(
    "This address belongs to another account",
    ("Somebody else has registered it meanwhile. Nothing was changed.",),
    HTTPStatus.CONFLICT,
)


def say_signed_out(receipt: Receipt) -> str:
    """How many devices the event signed out, and how many it did not."""
    ended, kept = receipt.sessions_ended, receipt.sessions_kept
    signed_out = "No device was signed out" if ended == 0 else f"{_count(ended)} {_was(ended)} signed out"
    stays = "" if kept == 0 else f"; {_count(kept)} {'stays' if kept == 1 else 'stay'} signed in"
    return f"{signed_out}{stays}."


def tell_refusal(outcome: Refused | TryLater) -> Told:
    """The page for a link that did nothing."""
    match outcome:
        case TryLater():
            return tell_busy(outcome.retry_after)
        case Refused(code=code):
            return TAKEN if code == EMAIL_TAKEN else DEAD_LINK


def tell_busy(seconds: int) -> Told:
    """The page for who has to wait."""
    return Told(
        "Please try again in a moment",
        (f"Too much is going on just now. Nothing was changed. Try again in {_count(seconds, 'second')}.",),
        HTTPStatus.SERVICE_UNAVAILABLE,
        retry_after=seconds,
    )


def tell_too_many(seconds: int) -> Told:
    """The page for an address from which too many ask."""
    minutes = -(-seconds // 60)
    return Told(
        "Too many tries",
        (f"Please wait {_count(minutes, 'minute')} before you try again.",),
        HTTPStatus.TOO_MANY_REQUESTS,
        retry_after=seconds,
    )


def _count(number: int, noun: str = "device") -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _was(number: int) -> str:
    return "was" if number == 1 else "were"
