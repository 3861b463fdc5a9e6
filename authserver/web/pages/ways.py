"""The links of pages that have nothing more to do, so that no page is a dead end."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from authserver.web.pages.languages import translate


@dataclass(frozen=True, slots=True)
class Way:
    """A link to another page of ours.

    Attributes:
        label: the text of the link.
        path: the page, below the issuer.
        query: the query of the page; empty values are left out.
        is_main: whether most people want this link, so that it stands out.
    """

    label: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    is_main: bool = False


def lead_to_account() -> Way:
    """Link to the account. It suits everybody, because a person who is not signed in is asked to sign in."""
    return Way(translate("Go to your account"), "/account")


def lead_to_sign_in(request_token: str = "") -> Way:
    """Link to the sign-in. With `request_token` it continues the request of an application."""
    return Way(translate("Sign in"), "/login", {"request": request_token}, is_main=True)


def lead_back_to_sign_in(request_token: str = "") -> Way:
    """Link back to the sign-in, from where people usually came."""
    return Way(translate("Back to sign-in"), "/login", {"request": request_token})


def lead_to_another_mail(path: str, request_token: str) -> Way:
    """Link back to the form at `path` that sent a mail, for people who got none or typed a wrong address."""
    return Way(translate("Ask for another mail or change the address"), path, {"request": request_token})


def lead_to_reset() -> Way:
    """Link to the form that mails a link to reset the password."""
    return Way(translate("Ask for a new password"), "/forgot")


def lead_to_another_address() -> Way:
    """Link to the form that changes the e-mail address."""
    return Way(translate("Choose another address"), "/account/email")
