"""Which scope is granted, and which an access token carries of it."""

from collections.abc import Iterable

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


def effective_scope(granted: str, asked: frozenset[str] | None, roles: tuple[str, ...]) -> str:
    """The scope of one access token, in the order granted.

    A refresh may ask for less (RFC 6749 §6), which does not narrow the family. `admin` is carried only while the user
    has the role, so that a role taken away takes effect at the next refresh.
    """
    return " ".join(
        token
        for token in granted.split()
        if (asked is None or token in asked) and (token != ADMIN_SCOPE or ADMIN_ROLE in roles)
    )
