"""The same password under a newer hash: an ordinary sign-in brings it about."""

from dataclasses import dataclass
from typing import ClassVar

from authserver.credentials.events.base import CredentialEvent
from authserver.credentials.policy_row import PolicyRow, Reach


@dataclass(frozen=True, slots=True)
class PasswordRehashed(CredentialEvent):
    """The hash of an unchanged password was replaced by a stronger one; `password_hash` is the new one.

    Settings may change nothing here: a re-hash that ended or bumped anything would sign people out for signing in.
    """

    name: ClassVar[str] = "password_rehashed"
    POLICY: ClassVar[PolicyRow] = PolicyRow(reach=Reach.NONE)
    adjustable: ClassVar[frozenset[str]] = frozenset()

    user_id: str
    password_hash: str
