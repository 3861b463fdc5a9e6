"""The credential events, one file each. A new event is one file here and one line in `EVENTS`."""

from authserver.credentials.events.base import CredentialEvent, register
from authserver.credentials.events.client_disabled import ClientDisabled
from authserver.credentials.events.compromise_reported import CompromiseReported
from authserver.credentials.events.email_change_reverted import EmailChangeReverted
from authserver.credentials.events.email_changed import EmailChanged
from authserver.credentials.events.mfa_changed import MfaChanged
from authserver.credentials.events.password_changed import PasswordChanged
from authserver.credentials.events.password_rehashed import PasswordRehashed
from authserver.credentials.events.password_reset import PasswordReset
from authserver.credentials.events.password_set_by_admin import PasswordSetByAdmin
from authserver.credentials.events.refresh_token_reused import RefreshTokenReused
from authserver.credentials.events.roles_changed import RolesChanged
from authserver.credentials.events.session_ended_by_admin import SessionEndedByAdmin
from authserver.credentials.events.session_ended_by_user import SessionEndedByUser
from authserver.credentials.events.signed_out import SignedOut
from authserver.credentials.events.signed_out_by_admin import SignedOutByAdmin
from authserver.credentials.events.signed_out_elsewhere import SignedOutElsewhere
from authserver.credentials.events.signed_out_everywhere import SignedOutEverywhere
from authserver.credentials.events.signing_key_compromised import SigningKeyCompromised
from authserver.credentials.events.user_deleted import UserDeleted
from authserver.credentials.events.user_disabled import UserDisabled
from authserver.credentials.events.user_enabled import UserEnabled
from authserver.credentials.events.user_locked import UserLocked
from authserver.credentials.events.user_unlocked import UserUnlocked

EVENTS: tuple[type[CredentialEvent], ...] = register(
    PasswordChanged,
    PasswordReset,
    PasswordSetByAdmin,
    PasswordRehashed,
    CompromiseReported,
    EmailChanged,
    EmailChangeReverted,
    RolesChanged,
    MfaChanged,
    UserLocked,
    UserUnlocked,
    UserDisabled,
    UserEnabled,
    UserDeleted,
    SignedOut,
    SignedOutEverywhere,
    SignedOutElsewhere,
    SignedOutByAdmin,
    SessionEndedByUser,
    SessionEndedByAdmin,
    RefreshTokenReused,
    ClientDisabled,
    SigningKeyCompromised,
)

__all__ = [
    "EVENTS",
    "ClientDisabled",
    "CompromiseReported",
    "CredentialEvent",
    "EmailChangeReverted",
    "EmailChanged",
    "MfaChanged",
    "PasswordChanged",
    "PasswordRehashed",
    "PasswordReset",
    "PasswordSetByAdmin",
    "RefreshTokenReused",
    "RolesChanged",
    "SessionEndedByAdmin",
    "SessionEndedByUser",
    "SignedOut",
    "SignedOutByAdmin",
    "SignedOutElsewhere",
    "SignedOutEverywhere",
    "SigningKeyCompromised",
    "UserDeleted",
    "UserDisabled",
    "UserEnabled",
    "UserLocked",
    "UserUnlocked",
]
