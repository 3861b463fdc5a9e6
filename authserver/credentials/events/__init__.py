"""The credential events, one file each. A new event is one file here and one line in `EVENTS`."""

from authserver.credentials.events.base import CredentialEvent, register
from authserver.credentials.events.client_disabled import ClientDisabled
from authserver.credentials.events.password_rehashed import PasswordRehashed
from authserver.credentials.events.password_set_by_admin import PasswordSetByAdmin
from authserver.credentials.events.refresh_token_reused import RefreshTokenReused
from authserver.credentials.events.session_ended_by_admin import SessionEndedByAdmin
from authserver.credentials.events.session_ended_by_user import SessionEndedByUser
from authserver.credentials.events.signed_out import SignedOut
from authserver.credentials.events.signed_out_elsewhere import SignedOutElsewhere
from authserver.credentials.events.signed_out_everywhere import SignedOutEverywhere
from authserver.credentials.events.signing_key_compromised import SigningKeyCompromised

EVENTS: tuple[type[CredentialEvent], ...] = register(
    PasswordRehashed,
    PasswordSetByAdmin,
    SignedOut,
    SignedOutEverywhere,
    SignedOutElsewhere,
    SessionEndedByUser,
    SessionEndedByAdmin,
    RefreshTokenReused,
    ClientDisabled,
    SigningKeyCompromised,
)

__all__ = [
    "EVENTS",
    "ClientDisabled",
    "CredentialEvent",
    "PasswordRehashed",
    "PasswordSetByAdmin",
    "RefreshTokenReused",
    "SessionEndedByAdmin",
    "SessionEndedByUser",
    "SignedOut",
    "SignedOutElsewhere",
    "SignedOutEverywhere",
    "SigningKeyCompromised",
]
