"""A key, at rest and in use.

`StoredKey` is a database row, decoded and checked once, here, so that an impossible row is a named error and never a
wrong decision later. The server works with `SigningKey` and `MacKey`; only `keyring` makes them.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import assert_never

from authserver.jose.algorithms import PrivateKey, SigningAlgorithm
from authserver.keyring.errors import BrokenKeyError

MAC_ALGORITHM = "HMAC-SHA256"
MAC_SECRET_BYTES = 32
_OF_ID_TOKENS = "id-token-"


class Purpose(StrEnum):
    """The purpose of a key. Each key has one purpose and one algorithm."""

    SIGNING = "signing"
    """Signs access tokens, and what clients receive that ask for no other algorithm; its public part is in the JWKS."""

    MAC = "mac"
    """Tags refresh tokens; it has no public part."""

    ID_TOKEN_ES256 = "id-token-ES256"  # noqa: S105 - a purpose
    ID_TOKEN_EDDSA = "id-token-EdDSA"  # noqa: S105 - a purpose
    ID_TOKEN_RS256 = "id-token-RS256"  # noqa: S105 - a purpose
    """Signs what clients receive that ask for this algorithm; exists only if one asks. Public part in the JWKS."""

    @classmethod
    def of_id_tokens(cls, algorithm: str) -> "Purpose":
        """The purpose of the keys behind ID tokens of this algorithm."""
        return cls(f"{_OF_ID_TOKENS}{algorithm}")

    @property
    def algorithm(self) -> str | None:
        """The algorithm of all keys of this purpose; None where it may change from one key to the next."""
        if self is Purpose.MAC:
            return MAC_ALGORITHM
        return self.value.removeprefix(_OF_ID_TOKENS) if self.value.startswith(_OF_ID_TOKENS) else None

    @property
    def is_public(self) -> bool:
        """Whether its keys have a public part."""
        return self is not Purpose.MAC


class KeyState(StrEnum):
    """The state of a key. Except for the last two, each state can only follow the one above it."""

    NEXT = "next"
    """Published, not signing."""

    ACTIVE = "active"
    """Signs; there is one for each purpose."""

    RETIRING = "retiring"
    """Verifies until the last token that it signed has expired."""

    RETIRED = "retired"
    """Out of the JWKS, private part destroyed."""

    COMPROMISED = "compromised"
    """Out of the JWKS at once, private part destroyed."""


ALWAYS_KEPT = (Purpose.SIGNING, Purpose.MAC)
"""The purposes of which every installation has keys."""

LIVE_STATES = frozenset({KeyState.NEXT, KeyState.ACTIVE, KeyState.RETIRING})
"""The states in which a key is published and its private part exists."""


@dataclass(frozen=True, slots=True)
class StoredKey:
    """One row. `sealed` is the private part, encrypted under a master key; None once destroyed.

    `public_jwk` is the JSON text of the public JWK; None for a MAC key. An instant is None until it has happened,
    except for `retires_at`, which is set when a key begins to retire and then lies in the future.
    """

    kid: str
    purpose: Purpose
    algorithm: str
    state: KeyState
    public_jwk: str | None
    sealed: str | None = field(repr=False)
    created_at: datetime
    published_at: datetime | None = None
    activated_at: datetime | None = None
    retiring_at: datetime | None = None
    retires_at: datetime | None = None
    retired_at: datetime | None = None
    compromised_at: datetime | None = None

    def __post_init__(self) -> None:
        """Refuse a row that no transition of this class can have written."""
        lasts_without_end = self.state is KeyState.RETIRING and self.retires_at is None
        if self._entered_at() is None or lasts_without_end:
            message = f"key {self.kid} is {self.state}, but not since when or until when"
            raise BrokenKeyError(message)
        if (self.sealed is not None) != (self.state in LIVE_STATES):
            message = f"key {self.kid} is {self.state}, which does not fit its private part"
            raise BrokenKeyError(message)
        if (self.public_jwk is not None) != self.purpose.is_public:
            message = f"key {self.kid} is a {self.purpose} key, which does not fit its public part"
            raise BrokenKeyError(message)

    @property
    def since(self) -> datetime:
        """When the key entered its present state."""
        return self._entered_at() or self.created_at

    def _entered_at(self) -> datetime | None:
        match self.state:
            case KeyState.NEXT:
                return self.published_at
            case KeyState.ACTIVE:
                return self.activated_at
            case KeyState.RETIRING:
                return self.retiring_at
            case KeyState.RETIRED:
                return self.retired_at
            case KeyState.COMPROMISED:
                return self.compromised_at
        assert_never(self.state)

    def activate(self, now: datetime) -> "StoredKey":
        """Return a copy that signs from `now` on."""
        return replace(self, state=KeyState.ACTIVE, activated_at=now)

    def begin_retiring(self, now: datetime, lasting: timedelta) -> "StoredKey":
        """Return a copy that only verifies, for as long as its tokens may live."""
        return replace(self, state=KeyState.RETIRING, retiring_at=now, retires_at=now + lasting)

    def redate(self, now: datetime, lasting: timedelta) -> "StoredKey":
        """Return a copy that entered its state `now`: a wrong clock wrote the stored time."""
        match self.state:
            case KeyState.NEXT:
                return replace(self, published_at=now)
            case KeyState.ACTIVE:
                return self.activate(now)
            case KeyState.RETIRING:
                return self.begin_retiring(now, lasting)
            case KeyState.RETIRED | KeyState.COMPROMISED:
                return self
        assert_never(self.state)

    def retire(self, now: datetime) -> "StoredKey":
        """Return a copy that is out of use, without a private part."""
        return replace(self, state=KeyState.RETIRED, retired_at=now, sealed=None)

    def compromise(self, now: datetime) -> "StoredKey":
        """Return a copy that is out of use because somebody else may have the key."""
        return replace(self, state=KeyState.COMPROMISED, compromised_at=now, sealed=None)


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The key that signs now. It is a parsed key object, so that no signature pays for parsing."""

    kid: str
    algorithm: SigningAlgorithm
    private_key: PrivateKey = field(repr=False)


@dataclass(frozen=True, slots=True)
class MacKey:
    """A key that tags refresh tokens; `kid` is 8 lower-case hexadecimal characters."""

    kid: str
    secret: bytes = field(repr=False)
