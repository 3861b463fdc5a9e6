"""Which scope and audience are granted, and what an access token carries of them."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import Enum

from authserver.protocol.user_claims import CLAIMS_OF_SCOPE

OPENID_SCOPE = "openid"
OFFLINE_SCOPE = "offline_access"
ADMIN_SCOPE = "admin"
ADMIN_ROLE = "admin"
SCOPES = frozenset({*CLAIMS_OF_SCOPE, OFFLINE_SCOPE, ADMIN_SCOPE})
"""Those that mean something to this server itself, whatever else clients have."""


def grantable_scope(asked: Iterable[str], roles: tuple[str, ...]) -> str:
    """What of `asked` a user with these roles can grant, each token once, in the order asked."""
    return " ".join(token for token in dict.fromkeys(asked) if token != ADMIN_SCOPE or ADMIN_ROLE in roles)


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a client may have at this moment by its own record, whatever it was granted earlier."""

    scope: frozenset[str]
    audience: frozenset[str]

    def covers(self, scope: Collection[str] | None, audience: Collection[str] | None) -> bool:
        """Whether the client may have all that a request names; None names nothing."""
        return self.scope.issuperset(scope or ()) and self.audience.issuperset(audience or ())


def effective_scope(granted: str, asked: frozenset[str] | None, allowance: Allowance, roles: tuple[str, ...]) -> str:
    """The scope of one access token, in the order granted: grant ∩ what the client may have ∩ the user's roles.

    A refresh may ask for less (RFC 6749 §6), which does not narrow the family. What client or user lost takes effect at
    the next refresh, and what they get back comes back.
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
    """The audience of one access token (RFC 8707 §2.2): grant ∩ what the client may name, or of that what is asked."""
    return tuple(
        name for name in (granted if asked is None else asked) if name in granted and name in allowance.audience
    )


class Lost(Enum):
    """What is missing for an answer."""

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
    """What of a grant of `scope` and `audience` is not left that a request asks for; where it names nothing, all of it.

    None when there is something to hand out.
    """
    if not is_enough(effective_scope(scope, asked_scope, allowance, roles).split(), scope, asked_scope):
        return Lost.SCOPE
    if not is_enough(effective_audience(audience, asked_audience, allowance), audience, asked_audience):
        return Lost.AUDIENCE
    return None


def is_enough(left: Collection[str], granted: Collection[str], asked: Collection[str] | None) -> bool:
    """Whether what is `left` of a grant answers a request: all that it names, or something of what was granted."""
    if asked is None:
        return bool(left) or not granted
    return set(asked) <= set(left)
