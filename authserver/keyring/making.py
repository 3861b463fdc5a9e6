"""Makes new keys. Each begins in the state *next*, is sealed, and is ready to be inserted."""

import hashlib
import json
from collections.abc import Collection
from datetime import datetime

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from authserver.jose.algorithms import PrivateKey, SigningAlgorithm
from authserver.jose.jwk import VerificationKey, write_jwk
from authserver.keyring.keys import MAC_ALGORITHM, MAC_SECRET_BYTES, KeyState, Purpose, StoredKey
from authserver.keyring.sealing import MasterKeys
from authserver.protocol import base64url
from authserver.protocol.entropy import Entropy
from authserver.protocol.refresh_token import MAC_KEY_ID_BYTES


def find_key_id(algorithm: SigningAlgorithm, private_key: PrivateKey) -> str:
    """Compute the key id of a signing key: the thumbprint of its public part (RFC 7638 §3).

    So a key cannot be added twice under two names, and an import can be repeated.
    """
    jwk = write_jwk(VerificationKey("", algorithm, private_key.public_key()))
    required = {name: value for name, value in jwk.items() if name not in {"kid", "alg", "use"}}
    canonical = json.dumps(required, sort_keys=True, separators=(",", ":"))
    return base64url.encode(hashlib.sha256(canonical.encode()).digest())


def make_signing_key(
    algorithm: SigningAlgorithm,
    masters: MasterKeys,
    now: datetime,
    private_key: PrivateKey | None = None,
    purpose: Purpose = Purpose.SIGNING,
) -> StoredKey:
    """Make a signing key for `algorithm` from a new private key, or from `private_key`, which must fit."""
    if private_key is None:
        private_key = _generate(algorithm)
    kid = find_key_id(algorithm, private_key)
    public = VerificationKey(kid, algorithm, private_key.public_key())
    secret = private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return StoredKey(
        kid=kid,
        purpose=purpose,
        algorithm=algorithm.name,
        state=KeyState.NEXT,
        public_jwk=json.dumps(write_jwk(public)),
        sealed=masters.seal(kid, algorithm.name, purpose, secret),
        created_at=now,
        published_at=now,
    )


def _generate(algorithm: SigningAlgorithm) -> PrivateKey:
    """Make a private key whose id has no leading dash: `keys compromise -U…` would fail in an emergency."""
    private_key = algorithm.generate()
    while find_key_id(algorithm, private_key).startswith("-"):
        private_key = algorithm.generate()
    return private_key


def make_mac_key(masters: MasterKeys, now: datetime, *, entropy: Entropy, taken: Collection[str]) -> StoredKey:
    """Make a MAC key whose short id is not in `taken`: a repeated id would make old tokens look tampered with."""
    kid = entropy(MAC_KEY_ID_BYTES).hex()
    while kid in taken:
        kid = entropy(MAC_KEY_ID_BYTES).hex()
    return StoredKey(
        kid=kid,
        purpose=Purpose.MAC,
        algorithm=MAC_ALGORITHM,
        state=KeyState.NEXT,
        public_jwk=None,
        sealed=masters.seal(kid, MAC_ALGORITHM, Purpose.MAC, entropy(MAC_SECRET_BYTES)),
        created_at=now,
        published_at=now,
    )
