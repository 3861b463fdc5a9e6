"""Master keys, and the sealing of private parts under them.

A sealed text is `<fingerprint of the master key>.<Fernet token>`. The fingerprint tells "another master key" from
"altered"; the token also holds the key's id, algorithm and purpose, which are compared on opening: Fernet has no
associated data, and without them a writer of the database could pass one key off as another.
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
        """The key spelled by `text` (Fernet's base64url of 32 bytes); `ValueError` for anything else."""
        data = base64url.decode(text.decode("ascii").strip().rstrip("="))
        if len(data) != MASTER_KEY_BYTES:
            raise ValueError("not 32 bytes")
        fingerprint = hashlib.sha256(_DOMAIN + data).hexdigest()[:_FINGERPRINT_CHARACTERS]
        return MasterKey(fingerprint, Fernet(base64.urlsafe_b64encode(data)))

    @staticmethod
    def generate_text(entropy: Entropy) -> bytes:
        """The spelling of a new key, as it stands in a file."""
        return base64.urlsafe_b64encode(entropy(MASTER_KEY_BYTES)) + b"\n"

    def encrypt(self, data: bytes) -> str:
        """A Fernet token of `data`."""
        return self._fernet.encrypt(data).decode("ascii")

    def decrypt(self, token: str) -> bytes:
        """What `encrypt` was given; `InvalidToken` if any of it was changed."""
        return self._fernet.decrypt(token)


@dataclass(frozen=True, slots=True)
class MasterKeys:
    """The loaded master keys, at least one; the first is the newest. All unseal.

    `seal` uses the first. Whoever writes into a database whose keys are still under an older one asks for
    `sealing_like` first: a node that has not received the newest file yet must be able to open what it reads.
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
        """The same keys, sealing under the one that sealed the first of `sealed`; the newest if nothing is sealed."""
        if not sealed:
            return self
        in_use = self._find(sealed_by(sealed[0]))
        return MasterKeys((in_use, *(key for key in self.keys if key != in_use)))

    def seal(self, kid: str, algorithm: str, purpose: Purpose, secret: bytes) -> str:
        """`secret` under the first master key, bound to the other three."""
        inner = {**_label(kid, algorithm, purpose), "secret": base64url.encode(secret)}
        first = self.keys[0]
        return f"{first.fingerprint}.{first.encrypt(json.dumps(inner).encode())}"

    def unseal(self, kid: str, algorithm: str, purpose: Purpose, sealed: str) -> bytes:
        """The secret, if it was sealed by a loaded key, for exactly this key id, algorithm and purpose.

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
