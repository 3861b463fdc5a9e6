"""Sentences about what happened and what is wrong, in the language of the request."""

from collections.abc import Iterable
from datetime import timedelta
from http import HTTPStatus
from typing import Final

from authserver.credentials.password_text import LONGEST_PASSWORD
from authserver.realm import outcomes
from authserver.realm.outcomes import EMAIL_TAKEN, Refused, TryLater
from authserver.records.field_error import FieldError
from authserver.records.user_rules import LONGEST_ADDRESS, LONGEST_NAME
from authserver.revocation import Receipt
from authserver.web.context import current_realm
from authserver.web.pages.blueprint import Told, lead_back
from authserver.web.pages.languages import mark, translate, translate_number
from authserver.web.pages.ways import lead_back_to_sign_in, lead_to_another_address, lead_to_reset

_REFUSALS: Final = {
    outcomes.INVALID_CREDENTIALS: mark("The e-mail address or the password is wrong."),
    outcomes.WRONG_PASSWORD: mark("The password is wrong."),
    outcomes.EMAIL_NOT_VERIFIED: mark(
        "Please confirm your e-mail address first. The link is in the mail that we sent you."
    ),
    outcomes.REGISTRATION_CLOSED: mark("Registration is closed."),
    outcomes.EMAIL_TAKEN: mark("This e-mail address is already registered."),
    outcomes.INVALID_LINK: mark("This link no longer works."),
}
_ERRORS: Final = {
    "invalid_email": mark("This is not an e-mail address."),
    "invalid_name": mark("A name has at most %(longest_name)d printable characters."),
    "invalid_phone_number": mark("A phone number is + and 4 to 15 digits, without spaces."),
    "invalid_address": mark("An address has at most %(longest_address)d printable characters."),
    "empty": mark("Please enter a password."),
    "too_short": mark("A password needs at least %(minimum_length)d characters."),
    "too_long": mark("A password has at most %(longest_password)d characters."),
    "invalid_character": mark("The password contains an invalid character."),
    "same_password": mark("This is the current password. Please choose another one."),
    "repetitive": mark("The password repeats one or two characters."),
    "common": mark("This password is on the lists that attackers try first."),
    "contains_email": mark("The password is too similar to the e-mail address."),
    "contains_name": mark("The password is too similar to your name."),
    "contains_service_name": mark("The password is too similar to the name of this service."),
}


def say_refused(refused: Refused) -> str:
    """Say why a use case refused."""
    sentence = _REFUSALS.get(refused.code)
    return refused.message if sentence is None else translate(sentence)


def say_errors(errors: Iterable[FieldError], *fields: str) -> list[str]:
    """Say what is wrong with these fields."""
    return [_say_error(error) for error in errors if error.field in fields]


def say_password_rules() -> str:
    """Say the rules for a new password."""
    return translate(
        "At least %(minimum_length)d characters. All characters are allowed, including spaces.",
        minimum_length=current_realm().passwords.policy.minimum_length,
    )


def say_signed_out(receipt: Receipt, *, with_this: bool = False) -> str:
    """Say how many devices were signed out, and how many were not. `with_this`: this device was not."""
    ended, kept = receipt.sessions_ended, receipt.sessions_kept
    sentences = [
        translate_number("%(number)d device was signed out.", "%(number)d devices were signed out.", ended)
        if ended
        else translate("No device was signed out.")
    ]
    if kept == 1 and with_this:
        sentences.append(translate("This one stays signed in."))
    elif kept:
        sentences.append(
            translate_number("%(number)d device stays signed in.", "%(number)d devices stay signed in.", kept)
        )
    return " ".join(sentences)


def say_duration(duration: timedelta) -> str:
    """Say a duration in the largest unit of which it is a whole number."""
    seconds = duration // timedelta(seconds=1)
    if seconds % 86_400 == 0:
        return translate_number("%(number)d day", "%(number)d days", seconds // 86_400)
    if seconds % 3600 == 0:
        return translate_number("%(number)d hour", "%(number)d hours", seconds // 3600)
    if seconds % 60 == 0:
        return translate_number("%(number)d minute", "%(number)d minutes", seconds // 60)
    return translate_number("%(number)d second", "%(number)d seconds", seconds)


def tell_refusal(outcome: Refused | TryLater) -> Told:
    """Make the page for a link that did nothing."""
    match outcome:
        case TryLater():
            return tell_busy(outcome.retry_after)
        case Refused(code=code):
            return _tell_taken() if code == EMAIL_TAKEN else _tell_dead_link()


def tell_busy(seconds: int) -> Told:
    """Make the page for a person who has to wait."""
    return Told(
        translate("Please try again in a moment"),
        (translate("This service is busy at the moment. Nothing was changed."), _say_wait(timedelta(seconds=seconds))),
        HTTPStatus.SERVICE_UNAVAILABLE,
        (lead_back(),),
        retry_after=seconds,
    )


def tell_too_many(seconds: int) -> Told:
    """Make the page for an address with too many tries."""
    return Told(
        translate("Too many attempts"),
        (_say_wait(timedelta(minutes=-(-seconds // 60))),),
        HTTPStatus.TOO_MANY_REQUESTS,
        (lead_back(),),
        retry_after=seconds,
    )


def tell_too_late() -> Told:
    """The page for a request that was begun too long ago, or that no application began."""
    return Told(
        translate("Please start again"),
        (
            translate("This took too long, or the address of this page was changed."),
            translate("Go back to the app that sent you here, and start again."),
        ),
        HTTPStatus.BAD_REQUEST,
    )


def _tell_dead_link() -> Told:
    return Told(
        translate("This link no longer works"),
        (
            translate("Links work once and for a limited time. Some also stop working when your account changes."),
            translate("Nothing was changed."),
        ),
        HTTPStatus.BAD_REQUEST,
        (lead_to_reset(), lead_back_to_sign_in()),
    )


def _tell_taken() -> Told:
    return Told(
        translate("This address belongs to another account"),
        (translate("Somebody else has registered it in the meantime."), translate("Nothing was changed.")),
        HTTPStatus.CONFLICT,
        (lead_to_another_address(), lead_back_to_sign_in()),
    )


def _say_wait(duration: timedelta) -> str:
    return translate("Try again in %(duration)s.", duration=say_duration(duration))


def _say_error(error: FieldError) -> str:
    sentence = _ERRORS.get(error.code)
    if sentence is None:
        return error.message
    return translate(
        sentence,
        minimum_length=current_realm().passwords.policy.minimum_length,
        longest_password=LONGEST_PASSWORD,
        longest_name=LONGEST_NAME,
        longest_address=LONGEST_ADDRESS,
    )
