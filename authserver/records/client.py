"""A registered client as stored, and its former secret."""

from dataclasses import dataclass
from datetime import datetime

from authserver.protocol.client_metadata import ClientKind, ConsentRule
from authserver.records.client_settings import ClientSettings


@dataclass(frozen=True, slots=True)
class FormerSecret:
    """The previous secret of a client, accepted before `expires_at` (exclusive)."""

    digest: bytes
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Client(ClientSettings):
    """A registered client: what operators set, and what the server keeps about it.

    Attributes:
        secret_digest: the SHA-256 of a random secret, None for a public client.
        consent: decided at registration.
        pairwise_salt: set exactly where `pairwise` is: the client then knows users and sessions by names that no other
            client sees (`records/pseudonym.py`).
        former_secret: accepted beside the current secret for a while, so that a rotation interrupts nothing.
    """

    client_id: str
    kind: ClientKind
    secret_digest: bytes | None
    family_version: int
    created_at: datetime
    disabled_at: datetime | None
    consent: ConsentRule = ConsentRule.REMEMBER
    pairwise_salt: bytes | None = None
    former_secret: FormerSecret | None = None

    @property
    def is_enabled(self) -> bool:
        """Whether the client may act and be acted for. NOT checked: whether the record is from memory."""
        return self.disabled_at is None


@dataclass(frozen=True, slots=True)
class ClientOrigins:
    """The origins from which browsers may call for one enabled client."""

    client_id: str
    first_party: bool
    origins: frozenset[str]
