"""Builds an event with placeholder facts, for explaining its effects beforehand. The event is never applied."""

from dataclasses import fields
from datetime import datetime
from typing import Any

from authserver.credentials.events import CredentialEvent

NO_HASH = "!"
"""A placeholder for a password hash. It is not a hash, so no password would match it even if it were stored."""


def represent(
    event: type[CredentialEvent],
    *,
    user_id: str,
    email: str,
    roles: tuple[str, ...],
    sid: str,
    link_issued_at: datetime,
) -> CredentialEvent:
    """Build an event of this type about this user and session. A field that is not known here raises `KeyError`."""
    facts: dict[str, Any] = {
        "user_id": user_id,
        "sid": sid,
        "fam": "",
        "client_id": "",
        "kid": "",
        "email": email,
        "roles": roles,
        "password_hash": NO_HASH,
        "replaces": NO_HASH,
        "link_issued_at": link_issued_at,
    }
    known: Any = event
    made: CredentialEvent = known(**{field.name: facts[field.name] for field in fields(known)})
    return made
