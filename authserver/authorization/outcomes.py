"""The outcomes of an authorization request: values for the pages and for the client."""

from dataclasses import dataclass, field
from enum import Enum
from typing import ClassVar

from authserver.authentication.browser_session import SignedInBrowser
from authserver.records.client import Client


class Decision(Enum):
    """The person's answer to the consent question."""

    ALLOW = "allow"
    DENY = "deny"


@dataclass(frozen=True, slots=True)
class Unredirectable:
    """The browser must not be redirected, so a page shows an error. These values are for the log, not for the page.

    Attributes:
        reason: why.
        client_id: the client named in the request; it need not exist.
        redirect_uri: the redirect URI in the request; it need not be registered.
    """

    reason: str
    client_id: str = ""
    redirect_uri: str = ""


@dataclass(frozen=True, slots=True)
class Spent:
    """The pushed request that is named is unknown, expired or open elsewhere; `reason` is for the log."""

    reason: str


@dataclass(frozen=True, slots=True)
class AlreadyAnswered:
    """The request was answered before, and its code was exchanged. A request is answered with one code only."""


@dataclass(frozen=True, slots=True)
class AuthorizationAnswer:
    """The answer that the browser carries to `redirect_uri`: a code or an error (RFC 6749 §4.1.2)."""

    redirect_uri: str
    response_mode: str
    parameters: dict[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class RequestedAccess:
    """The client that asks and what it asks for, as the pages show it."""

    client: Client
    redirect_uri: str
    scope: tuple[str, ...]
    audience: tuple[str, ...]
    login_hint: str
    ui_locales: str


@dataclass(frozen=True, slots=True)
class Missing:
    """An act of the person that a request still needs. Each step has a subclass.

    Attributes:
        silent_error: the error for a client that allowed no questions (`prompt=none`, OpenID Connect Core §3.1.2.6).
        access: the access that a client asks for; None for a request of our own pages.
    """

    silent_error: ClassVar[str] = "interaction_required"

    access: RequestedAccess | None


@dataclass(frozen=True, slots=True)
class SignInNeeded(Missing):
    """The person must sign in.

    Attributes:
        may_choose: whether a signed-in person may instead choose to continue as the present user.
        wants_account: whether the application asks to register a new user (`prompt=create`).
    """

    silent_error: ClassVar[str] = "login_required"

    may_choose: bool = False
    wants_account: bool = False


@dataclass(frozen=True, slots=True)
class ConsentNeeded(Missing):
    """The user at `browser` must be asked whether the client may have this access."""

    silent_error: ClassVar[str] = "consent_required"

    access: RequestedAccess
    browser: SignedInBrowser


Outcome = Unredirectable | Spent | AlreadyAnswered | AuthorizationAnswer | Missing
