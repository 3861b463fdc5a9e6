"""A registered client as stored, and its former secret."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from authserver.protocol.client_metadata import CLIENT_CREDENTIALS, SECRET_METHODS, AuthMethod, ClientKind, ConsentRule
from authserver.records.client_settings import ClientSettings
from authserver.records.provenance import BY_OPERATOR, Provenance


@dataclass(frozen=True, slots=True)
class FormerSecret:
    """The previous secret of a client, accepted before `expires_at` (exclusive)."""

    digest: bytes
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Client(ClientSettings):
    """A registered client: what operators set, and what the server keeps about it.

    Attributes:
        secret_digest: the SHA-256 of a random secret, None for a client that does not authenticate by one.
        consent: decided at registration.
        pairwise_salt: set exactly where `pairwise` is: the client then knows users and sessions by names that no other
            client sees (`records/pseudonym.py`).
        former_secret: accepted beside the current secret for a while, so that a rotation interrupts nothing.
        provenance: who described the client.
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
    provenance: Provenance = BY_OPERATOR

    @property
    def is_enabled(self) -> bool:
        """Whether the client may act and be acted for. NOT checked: whether the record is from memory."""
        return self.disabled_at is None

    @property
    def auth_methods(self) -> frozenset[AuthMethod]:
        """The methods by which the client may authenticate. One with a secret and no method of its own has two."""
        if self.kind.is_public:
            return _NO_METHOD
        return SECRET_METHODS if self.auth_method is None else frozenset({self.auth_method})

    @property
    def grant_types(self) -> frozenset[str]:
        """The grants that the client may use at the token endpoint."""
        return self.kind.grant_types | {CLIENT_CREDENTIALS} if self.client_credentials else self.kind.grant_types


_NO_METHOD: Final = frozenset({AuthMethod.NONE})


@dataclass(frozen=True, slots=True)
class ClientOrigins:
    """The origins from which browsers may call for one enabled client."""

    client_id: str
    first_party: bool
    origins: frozenset[str]
