"""What an authorization request can come to: values for the pages and for the client."""

from dataclasses import dataclass, field
from enum import Enum

from authserver.records.client import Client


class Decision(Enum):
    """What the person said when he was asked."""

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
class Wish:
    """Who asks, and for what: all that the pages show."""

    client: Client
    redirect_uri: str
    scope: tuple[str, ...]
    audience: tuple[str, ...]
    login_hint: str
    ui_locales: str


@dataclass(frozen=True, slots=True)
class SignInNeeded:
    """Somebody has to prove first who they are.

    Attributes:
        wish: what for.
        may_choose: a person who is signed in may also just say that it is they.
        wants_account: the application sends somebody who is to register (`prompt=create`).
    """

    wish: Wish
    may_choose: bool = False
    wants_account: bool = False


@dataclass(frozen=True, slots=True)
class ConsentNeeded:
    """The person has to be asked."""

    wish: Wish


Outcome = Unredirectable | AlreadyAnswered | AuthorizationAnswer | SignInNeeded | ConsentNeeded
