"""The scope and audience that were granted, and the part of them that an access token carries."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import Enum

from authserver.protocol.user_claims import CLAIMS_OF_SCOPE

OPENID_SCOPE = "openid"
OFFLINE_SCOPE = "offline_access"
ADMIN_SCOPE = "admin"
ADMIN_ROLE = "admin"
SCOPES = frozenset({*CLAIMS_OF_SCOPE, OFFLINE_SCOPE, ADMIN_SCOPE})
"""The scopes that this server itself acts on. Clients may have others."""

SCOPES_OF_USERS = frozenset({OPENID_SCOPE, ADMIN_SCOPE, OFFLINE_SCOPE})
"""Scopes that mean a user: their ID token, their role, their absence. No token of a client itself has them."""


def grantable_scope(asked: Iterable[str], roles: tuple[str, ...]) -> str:
    """The part of `asked` that a user with these roles can grant: each token once, in the order asked."""
    return " ".join(token for token in dict.fromkeys(asked) if token != ADMIN_SCOPE or ADMIN_ROLE in roles)


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a client's record allows at this moment, independent of what was granted earlier."""

    scope: frozenset[str]
    audience: frozenset[str]

    def covers(self, scope: Collection[str] | None, audience: Collection[str] | None) -> bool:
        """Whether the client may have everything that a request names; None names nothing."""
        return self.scope.issuperset(scope or ()) and self.audience.issuperset(audience or ())


def effective_scope(granted: str, asked: frozenset[str] | None, allowance: Allowance, roles: tuple[str, ...]) -> str:
    """The scope of one access token, in the order granted: granted ∩ what the client may have ∩ the user's roles.

    A refresh may ask for less (RFC 6749 §6), which does not narrow the family. What the client or user has lost
    disappears at the next refresh, and what they regain returns.
    """
    return " ".join(
        token
        for token in granted.split()
        if (asked is None or token in asked)
        and token in allowance.scope
        and (token != ADMIN_SCOPE or ADMIN_ROLE in roles)
    )


def effective_audience(
    granted: tuple[str, ...], asked: tuple[str, ...] | None, allowance: Allowance
) -> tuple[str, ...]:
    """The audience of one access token (RFC 8707 §2.2): granted ∩ what the client may name ∩ what is asked."""
    return tuple(
        name for name in (granted if asked is None else asked) if name in granted and name in allowance.audience
    )


class Lost(Enum):
    """The part of the granted access that no longer suffices for an answer."""

    SCOPE = "scope"
    AUDIENCE = "audience"


def find_loss(
    scope: str,
    audience: tuple[str, ...],
    allowance: Allowance,
    roles: tuple[str, ...],
    *,
    asked_scope: frozenset[str] | None = None,
    asked_audience: tuple[str, ...] | None = None,
) -> Lost | None:
    """Find the part of what was granted that a request asks for and that is gone; None if it can be answered.

    A request that names nothing is answered as long as any part is left.
    """
    if not is_enough(effective_scope(scope, asked_scope, allowance, roles).split(), scope, asked_scope):
        return Lost.SCOPE
    if not is_enough(effective_audience(audience, asked_audience, allowance), audience, asked_audience):
        return Lost.AUDIENCE
    return None


def is_enough(left: Collection[str], granted: Collection[str], asked: Collection[str] | None) -> bool:
    """Whether `left` of what was granted is enough: it holds all that is asked, or if nothing is asked, something."""
    if asked is None:
        return bool(left) or not granted
    return set(asked) <= set(left)
