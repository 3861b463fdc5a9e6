"""Where a page that has nothing more to do leads on: no page is a dead end."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from authserver.web.pages.languages import translate


@dataclass(frozen=True, slots=True)
class Way:
    """A link to another page of ours.

    Attributes:
        label: what it says.
        path: the page, below the issuer.
        query: what the page is given.
        is_main: whether most people want just this.
    """

    label: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    is_main: bool = False


def lead_to_account() -> Way:
    """The page for everybody; who is not signed in signs in first."""
    return Way(translate("Go to your account"), "/account")


def lead_to_sign_in(request_token: str = "") -> Way:
    """On with a sign-in; `request_token` leads back to the app that somebody was on the way to."""
    return Way(translate("Sign in"), "/login", {"request": request_token}, is_main=True)


def lead_back_to_sign_in(request_token: str = "") -> Way:
    """Where people came from, as a rule."""
    return Way(translate("Back to sign-in"), "/login", {"request": request_token})


def lead_to_another_mail(path: str, request_token: str) -> Way:
    """Back to the form at `path`, which had a mail sent, for who got none or typed the wrong address."""
    return Way(translate("Ask for another mail or change the address"), path, {"request": request_token})


def lead_to_reset() -> Way:
    """Ask for a link that resets the password."""
    return Way(translate("Ask for a new password"), "/forgot")


def lead_to_another_address() -> Way:
    """Change the e-mail address of the account to another one."""
    return Way(translate("Choose another address"), "/account/email")
