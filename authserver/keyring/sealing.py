"""Master keys, and the sealing (encryption) of private parts under them.

A sealed text is `<fingerprint of the master key>.<Fernet token>`. The fingerprint tells "another master key" from
"altered". The token also holds the key's id, algorithm and purpose, which are compared on opening: Fernet has no
associated data, and without them somebody with write access to the database could pass one key off as another.
"""

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography.fernet import Fernet, InvalidToken

from authserver.keyring.errors import BrokenKeyError, MasterKeyError, WrongMasterKeyError
from authserver.keyring.keys import Purpose
from authserver.protocol import base64url
from authserver.protocol.entropy import Entropy

MASTER_KEY_BYTES = 32
_FINGERPRINT_CHARACTERS = 16
_DOMAIN = b"authserver master key\0"


@dataclass(frozen=True, slots=True)
class MasterKey:
    """One Fernet key. `fingerprint` is public: it names the key in reports and proves nothing."""

    fingerprint: str
    _fernet: Fernet = field(repr=False, compare=False)

    @staticmethod
    def read(text: bytes) -> "MasterKey":
        """Parse `text` (Fernet's base64url of 32 bytes); `ValueError` for any other text."""
        data = base64url.decode(text.decode("ascii").strip().rstrip("="))
        if len(data) != MASTER_KEY_BYTES:
            raise ValueError("not 32 bytes")
        fingerprint = hashlib.sha256(_DOMAIN + data).hexdigest()[:_FINGERPRINT_CHARACTERS]
        return MasterKey(fingerprint, Fernet(base64.urlsafe_b64encode(data)))

    @staticmethod
    def generate_text(entropy: Entropy) -> bytes:
        """Make a new key, in the form in which a file holds it."""
        return base64.urlsafe_b64encode(entropy(MASTER_KEY_BYTES)) + b"\n"

    def encrypt(self, data: bytes) -> str:
        """Encrypt `data` as a Fernet token."""
        return self._fernet.encrypt(data).decode("ascii")

    def decrypt(self, token: str) -> bytes:
        """Decrypt a token of `encrypt`; `InvalidToken` if any of it was changed."""
        return self._fernet.decrypt(token)


@dataclass(frozen=True, slots=True)
class MasterKeys:
    """The loaded master keys, at least one; the first is the newest. All of them can unseal.

    `seal` uses the first. Code that writes to a database whose keys are still under an older master key calls
    `sealing_like` first: a node that does not have the newest file yet must be able to open what it reads.
    """

    keys: tuple[MasterKey, ...]

    def __post_init__(self) -> None:
        """Refuse an empty set: nothing could be sealed."""
        if not self.keys:
            raise MasterKeyError("no master key")

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """The fingerprints of all loaded keys, newest first."""
        return tuple(key.fingerprint for key in self.keys)

    def sealing_like(self, sealed: Sequence[str]) -> "MasterKeys":
        """Return a copy that seals with the key of the first text in `sealed`; with the newest if `sealed` is empty."""
        if not sealed:
            return self
        in_use = self._find(sealed_by(sealed[0]))
        return MasterKeys((in_use, *(key for key in self.keys if key != in_use)))

    def seal(self, kid: str, algorithm: str, purpose: Purpose, secret: bytes) -> str:
        """Encrypt `secret` under the first master key, bound to `kid`, `algorithm` and `purpose`."""
        inner = {**_label(kid, algorithm, purpose), "secret": base64url.encode(secret)}
        first = self.keys[0]
        return f"{first.fingerprint}.{first.encrypt(json.dumps(inner).encode())}"

    def unseal(self, kid: str, algorithm: str, purpose: Purpose, sealed: str) -> bytes:
        """Decrypt a secret that a loaded key sealed for exactly this key id, algorithm and purpose.

        Raises `WrongMasterKeyError` or `BrokenKeyError`.
        """
        master = self._find(sealed_by(sealed))
        try:
            inner: dict[str, str] = json.loads(master.decrypt(sealed.partition(".")[2]))
        except InvalidToken:
            raise BrokenKeyError(f"the sealed part of key {kid} was altered") from None
        secret = base64url.decode(inner.pop("secret"))
        if inner != _label(kid, algorithm, purpose):
            raise BrokenKeyError(f"the sealed part of key {kid} belongs to key {inner.get('kid')}, or to another use")
        return secret

    def _find(self, fingerprint: str) -> MasterKey:
        for key in self.keys:
            if key.fingerprint == fingerprint:
                return key
        loaded = ", ".join(self.fingerprints)
        raise WrongMasterKeyError(
            f"wrong master key for this database: its keys are sealed by master key {fingerprint}, loaded: {loaded}"
        )


def sealed_by(sealed: str) -> str:
    """The fingerprint of the master key that made a sealed text."""
    fingerprint, dot, _ = sealed.partition(".")
    if not dot or len(fingerprint) != _FINGERPRINT_CHARACTERS:
        raise BrokenKeyError("not a sealed key")
    return fingerprint


def _label(kid: str, algorithm: str, purpose: Purpose) -> dict[str, str]:
    return {"kid": kid, "algorithm": algorithm, "purpose": purpose.value}
