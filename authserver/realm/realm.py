"""The parts of one installation: the values that its use cases and grants need.

Built once by the assembly; one realm per installation. It holds only settings that a use case needs, and no request.
"""

from dataclasses import dataclass
from datetime import timedelta

from authserver.clock import Clock
from authserver.credentials.hashing_pool import HashingPool
from authserver.credentials.password_policy import PasswordPolicy
from authserver.credentials.passwords import PasswordHasher
from authserver.keyring.live import LiveKeyring
from authserver.outbound import Outbound
from authserver.protocol.entropy import Entropy
from authserver.realm.client_documents import ClientDocuments
from authserver.realm.client_keys import ClientKeys
from authserver.realm.client_registry import ClientRegistry
from authserver.revocation import Revocation
from authserver.revocation.feed import RevocationFeed
from authserver.sessions.lifetimes import Lifetimes
from authserver.storage import Database
from authserver.storage.proofs import UsedProofs
from authserver.storage.rotation import Rotation


@dataclass(frozen=True, slots=True)
class Registration:
    """Who may register, and what is required before the first sign-in."""

    open: bool
    require_verified_email: bool


@dataclass(frozen=True, slots=True)
class Passwords:
    """The values for verifying and choosing passwords: the hasher, its pool of threads, and the password policy."""

    hasher: PasswordHasher
    pool: HashingPool
    policy: PasswordPolicy


@dataclass(frozen=True, slots=True)
class KeyProofs:
    """How DPoP proofs are taken: what remembers the used ones, and whether they need a nonce of this server."""

    used: UsedProofs
    demand_nonce: bool = False


@dataclass(frozen=True, slots=True)
class Realm:
    """Everything that the use cases of one installation need.

    Attributes:
        registers_clients: whether clients may register themselves (RFC 7591).
        documents: of clients whose id is a URL.
    """

    issuer: str
    default_audience: str
    database: Database
    rotation: Rotation
    proofs: KeyProofs
    keyring: LiveKeyring
    clients: ClientRegistry
    client_keys: ClientKeys
    passwords: Passwords
    revocation: Revocation
    feed: RevocationFeed
    lifetimes: Lifetimes
    reauthentication_age: timedelta
    jwks_max_age: timedelta
    registration: Registration
    registers_clients: bool
    documents: ClientDocuments
    outbound: Outbound
    clock: Clock
    entropy: Entropy
