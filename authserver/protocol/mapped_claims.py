"""Claims whose name an operator chooses for a client, because its library looks for them there (`groups`)."""

from dataclasses import fields
from typing import Final

from authserver.protocol.claims import ClientToken, IdTokenClaims, UserToken
from authserver.protocol.text import is_line
from authserver.protocol.user_claims import CLAIMS_OF_SCOPE

ROLES: Final = "roles"
SOURCES: Final = (ROLES,)
"""What a claim may hold: the user's roles, as an array of strings."""

LONGEST_NAME: Final = 100
MOST_NAMES: Final = 10

_OF_STANDARDS: Final = frozenset(
    {
        *("nbf", "cnf", "typ", "act", "may_act", "events", "azp", "c_hash", "s_hash", "active", "username"),
        *("token_type", "authorization_details", "website", "profile", "picture", "gender", "birthdate", "zoneinfo"),
        *("locale", "middle_name", "nickname", "_claim_names", "_claim_sources", "sub_jwk"),
    }
)
_OURS: Final = frozenset(
    {field.name for kind in (UserToken, ClientToken, IdTokenClaims) for field in fields(kind)}
    | {name for names in CLAIMS_OF_SCOPE.values() for name in names}
)
RESERVED: Final = (_OURS | _OF_STANDARDS) - {ROLES}
"""Names with a meaning of their own. A resource server would believe a role that it reads there."""


def find_name_fault(name: str, source: str) -> str | None:
    """Why `name` may not hold `source`; None if it may. `roles` may only be what it says."""
    if source not in SOURCES:
        return f"has an unknown source; known: {', '.join(SOURCES)}"
    if name in RESERVED:
        return "is a reserved name"
    if not (name and name.isascii() and is_line(name, LONGEST_NAME)) or " " in name:
        return f"is not a name of at most {LONGEST_NAME} printable ASCII characters without a space"
    return None
