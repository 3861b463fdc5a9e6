"""The vocabulary of the audit record: every name that a record may have.

The names come from the OWASP logging vocabulary. Where it has no word, the name is formed in its manner: the subject
(authn, authz, session, user, client, key), then what happened. Names are stable, because operators' searches and alarms
depend on them. docs/audit.md says what each name means and which details it carries.
"""

from enum import StrEnum


class AuditName(StrEnum):
    """The name of an audit record."""

    LOGIN_SUCCESS = "authn_login_success"
    LOGIN_FAIL = "authn_login_fail"
    LOGIN_LOCK = "authn_login_lock"
    LOGIN_UNLOCK = "authn_login_unlock"
    PASSWORD_CHANGE = "authn_password_change"  # noqa: S105 - a name
    PASSWORD_CHANGE_FAIL = "authn_password_change_fail"  # noqa: S105 - a name
    REAUTHENTICATION_FAIL = "authn_reauthentication_fail"
    PASSWORD_REHASH = "authn_password_rehash"  # noqa: S105 - a name
    FACTOR_CHANGE = "authn_factor_change"
    LINK_FAIL = "authn_link_fail"
    COMPROMISE_REPORT = "authn_compromise_report"
    TOKEN_REUSE = "authn_token_reuse"  # noqa: S105 - a name
    TOKEN_LATE_RETRY = "authn_token_late_retry"  # noqa: S105 - a name
    TOKEN_REVOKED = "authn_token_revoked"  # noqa: S105 - a name

    ROLES_CHANGE = "authz_change"
    AUTHZ_FAIL = "authz_fail"
    CONSENT_GRANTED = "authz_consent_granted"
    CONSENT_REVOKED = "authz_consent_revoked"

    SESSION_LOGOUT = "session_logout"
    SESSION_REVOKED = "session_revoked"
    SESSION_REPLACED = "session_replaced"

    USER_CREATED = "user_created"
    USER_UPDATED = "user_updated"
    USER_DISABLED = "user_disabled"
    USER_ENABLED = "user_enabled"
    USER_DELETED = "user_deleted"

    CLIENT_CREATED = "client_created"
    CLIENT_UPDATED = "client_updated"
    CLIENT_SECRET_ROTATED = "client_secret_rotated"  # noqa: S105 - a name
    CLIENT_SECRET_ENDED = "client_secret_ended"  # noqa: S105 - a name
    CLIENT_DISABLED = "client_disabled"
    CLIENT_ENABLED = "client_enabled"
    CLIENT_DELETED = "client_deleted"
    REGISTRATION_TOKEN_CREATED = "client_registration_token_created"  # noqa: S105 - a name
    REGISTRATION_TOKEN_ENDED = "client_registration_token_ended"  # noqa: S105 - a name

    KEY_FOUNDED = "key_founded"
    KEY_STAGED = "key_staged"
    KEY_PROMOTED = "key_promoted"
    KEY_RETIRED = "key_retired"
    KEY_REDATED = "key_redated"
    MAC_KEY_COMPROMISED = "mac_key_compromised"
    SIGNING_KEY_COMPROMISED = "signing_key_compromised"
    KEYS_REWRAPPED = "keys_rewrapped"

    DATABASE_RESTORED = "database_restored"

    MAIL_GIVEN_UP = "mail_given_up"
    LOGOUT_GIVEN_UP = "logout_given_up"
