"""The results of evaluating an authorization request: values for the pages and for the client."""

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
    """Nobody may be redirected: the person is told instead. All of this is for the log, and nothing of it for the page.

    Attributes:
        reason: why.
        client_id: who is said to ask; it need not exist.
        redirect_uri: where the person was to be sent.
    """

    reason: str
    client_id: str = ""
    redirect_uri: str = ""


@dataclass(frozen=True, slots=True)
class AlreadyAnswered:
    """The request was answered before, and the client has exchanged the code: one request is answered with one code."""


@dataclass(frozen=True, slots=True)
class AuthorizationAnswer:
    """What the browser brings to the client at `redirect_uri`: a code or an error (RFC 6749 §4.1.2)."""

    redirect_uri: str
    response_mode: str
    parameters: dict[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class RequestedAccess:
    """The client that asks, and what it asks for: all that the pages show."""

    client: Client
    redirect_uri: str
    scope: tuple[str, ...]
    audience: tuple[str, ...]
    login_hint: str
    ui_locales: str


@dataclass(frozen=True, slots=True)
class Missing:
    """What a person has to do before their request can go on. Each step has a kind of its own.

    Attributes:
        silent_error: what a client is told that allowed no questions (`prompt=none`, OpenID Connect Core §3.1.2.6).
        access: what for; None on the way to a page of ours.
    """

    silent_error: ClassVar[str] = "interaction_required"

    access: RequestedAccess | None


@dataclass(frozen=True, slots=True)
class SignInNeeded(Missing):
    """The person has to prove first who they are.

    Attributes:
        may_choose: a person who is signed in may also just say that it is they.
        wants_account: the application sends somebody who is to register (`prompt=create`).
    """

    silent_error: ClassVar[str] = "login_required"

    may_choose: bool = False
    wants_account: bool = False


@dataclass(frozen=True, slots=True)
class ConsentNeeded(Missing):
    """The person at `browser` has to be asked whether the client may have what it asks for."""

    silent_error: ClassVar[str] = "consent_required"

    access: RequestedAccess
    browser: SignedInBrowser


Outcome = Unredirectable | AlreadyAnswered | AuthorizationAnswer | Missing
