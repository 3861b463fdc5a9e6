"""What a client is told about a user: in ID tokens, at userinfo, and under the names that an operator mapped."""

from collections.abc import Mapping
from typing import Final

from authserver.protocol.mapped_claims import ROLES
from authserver.protocol.user_claims import allowed_claims
from authserver.records.client import Client
from authserver.records.user import User

_WHO: Final = frozenset({"profile", "email"})


def describe_user(user: User, claims: frozenset[str]) -> dict[str, object]:
    """The claims about `user` among `claims`. What the user has not told is left out (OpenID Connect Core §5.3.2)."""
    known: dict[str, object] = {
        "name": user.name or None,
        "given_name": user.given_name or None,
        "family_name": user.family_name or None,
        # Applications call accounts by it, so it must not be what users make up, nor an address that is not theirs.
        "preferred_username": user.email if user.email_verified and "email" in claims else None,
        "updated_at": int((user.profile_changed_at or user.created_at).timestamp()),
        "email": user.email,
        "email_verified": user.email_verified,
        "phone_number": user.phone_number or None,
        # This server verifies no phone numbers.
        "phone_number_verified": False if user.phone_number else None,
        "address": {"formatted": user.address} if user.address else None,
    }
    return {name: value for name, value in known.items() if name in claims and value is not None}


def choose_id_token_claims(client: Client, scopes: frozenset[str], asked: frozenset[str]) -> frozenset[str]:
    """The claims about the user that an ID token gets: those `asked` for by name, and all if the client wants them."""
    allowed = allowed_claims(scopes)
    return (allowed & asked) | (allowed_claims(scopes & _WHO) if client.id_token_claims else frozenset())


def map_claims(client: Client, roles: tuple[str, ...]) -> Mapping[str, object]:
    """The claims that the operator named for `client`. Without content, they are left out, as `roles` itself."""
    values = {ROLES: list(roles)}
    return {name: values[source] for name, source in client.claim_names.items() if values[source]}
