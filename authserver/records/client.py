"""A registered client as stored, and its former secret."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from authserver.protocol.client_metadata import ClientKind, ConsentRule
from authserver.records.scope_texts import ScopeTexts


@dataclass(frozen=True, slots=True)
class FormerSecret:
    """The previous secret of a client, accepted before `expires_at` (exclusive)."""

    digest: bytes
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Client:
    """A registered client.

    Attributes:
        secret_digest: the SHA-256 of a random secret, None for a public client.
        retry_window, late_retry_window, access_token_lifetime, refresh_idle_lifetime, refresh_absolute_lifetime:
            override those of the installation, where they are set.
        offline_access: whether it gets refresh tokens without asking for the scope of that name.
        pairwise_salt: where it is set, ID tokens and userinfo name users by ids that no other client sees (OpenID
            Connect Core §8.1).
        former_secret: accepted beside the current secret for a while, so that a rotation interrupts nothing.
        logo_uri, client_uri, policy_uri, tos_uri: shown on the consent page (RFC 7591 §2).
        scope_texts: the operator's words for the scopes of this client; where it has none, those of the installation
            apply.
    """

    client_id: str
    name: str
    kind: ClientKind
    secret_digest: bytes | None
    first_party: bool
    scope: tuple[str, ...]
    audience: tuple[str, ...]
    redirect_uris: tuple[str, ...]
    origins: tuple[str, ...]
    retry_window: timedelta | None
    late_retry_window: timedelta | None
    family_version: int
    created_at: datetime
    disabled_at: datetime | None
    post_logout_redirect_uris: tuple[str, ...] = ()
    offline_access: bool = False
    consent: ConsentRule = ConsentRule.REMEMBER
    access_token_lifetime: timedelta | None = None
    refresh_idle_lifetime: timedelta | None = None
    refresh_absolute_lifetime: timedelta | None = None
    pairwise_salt: bytes | None = None
    former_secret: FormerSecret | None = None
    logo_uri: str | None = None
    client_uri: str | None = None
    policy_uri: str | None = None
    tos_uri: str | None = None
    scope_texts: ScopeTexts = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ClientOrigins:
    """The origins from which browsers may call for one enabled client."""

    client_id: str
    first_party: bool
    origins: frozenset[str]
