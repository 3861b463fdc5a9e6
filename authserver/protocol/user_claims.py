"""The claims about a user, and the scope that allows each of them (OpenID Connect Core §5.1, §5.4)."""

from collections.abc import Mapping
from typing import Final

CLAIMS_OF_SCOPE: Final[Mapping[str, tuple[str, ...]]] = {
    "openid": ("sub",),
    "profile": ("name", "given_name", "family_name", "preferred_username", "updated_at"),
    "email": ("email", "email_verified"),
    "address": ("address",),
    "phone": ("phone_number", "phone_number_verified"),
}


def allowed_claims(scopes: frozenset[str]) -> frozenset[str]:
    """The claims that userinfo may disclose to a client with these scopes."""
    return frozenset(name for scope in scopes for name in CLAIMS_OF_SCOPE.get(scope, ()))
