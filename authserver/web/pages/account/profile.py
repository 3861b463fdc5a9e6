"""`/account`: show the account, and change the profile."""

from dataclasses import fields
from http import HTTPStatus

from flask import Response

from authserver.account.profile import change_profile
from authserver.authentication.browser_session import SignedInBrowser
from authserver.realm.outcomes import Invalid, Refused
from authserver.records.field_error import FieldError
from authserver.records.user import Profile, User
from authserver.web.context import current_realm
from authserver.web.pages.account.frame import answer_room, ask_who, with_browser
from authserver.web.pages.blueprint import pages, read_fields
from authserver.web.pages.languages import translate
from authserver.web.pages.moments import describe_moment
from authserver.web.pages.words import say_errors

PATH = "/account"
_FIELDS = tuple(field.name for field in fields(Profile))


@pages.get(PATH)
@with_browser
def show_profile(browser: SignedInBrowser) -> Response:
    """Show the account with the current profile."""
    user = browser.user
    return _answer(browser, _read_profile(user))


@pages.post(PATH)
@with_browser
def act_profile(browser: SignedInBrowser) -> Response:
    """Store the profile. An empty field removes its value."""
    sent = read_fields()
    typed = Profile(**{name: sent.get(name, "") for name in _FIELDS})
    outcome = change_profile(current_realm(), browser, typed)
    match outcome:
        case Invalid(errors=errors):
            return _answer(browser, typed, errors)
        case Refused():
            return ask_who(PATH)
        case user:
            return _answer(browser, _read_profile(user), done=translate("Your profile is saved."))


def _read_profile(user: User) -> Profile:
    return Profile(**{name: getattr(user, name) for name in _FIELDS})


def _answer(
    browser: SignedInBrowser, profile: Profile, errors: tuple[FieldError, ...] = (), done: str = ""
) -> Response:
    user = browser.user
    return answer_room(
        browser,
        "account_profile.html",
        PATH,
        HTTPStatus.UNPROCESSABLE_ENTITY if errors else HTTPStatus.OK,
        profile=profile,
        errors={name: say_errors(errors, name) for name in _FIELDS},
        done=[done] if done else [],
        email_verified=user.email_verified,
        password_changed=None if user.password_changed_at is None else describe_moment(user.password_changed_at),
        member_since=describe_moment(user.created_at),
    )
