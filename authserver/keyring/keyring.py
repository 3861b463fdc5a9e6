"""The keys in use, parsed once into a frozen snapshot that any number of threads may read.

It is built as a whole or not at all: if one key cannot be opened, or none signs, there is no `Keyring`.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from cryptography.hazmat.primitives.serialization import load_der_private_key

from authserver.jose import strict_json
from authserver.jose.errors import JoseError
from authserver.jose.jwk import VerificationKey, read_jwk, write_jwk
from authserver.keyring.errors import BrokenKeyError, NoActiveKeyError
from authserver.keyring.key_set import KeySet
from authserver.keyring.keys import LIVE_STATES, KeyState, MacKey, Purpose, SigningKey, StoredKey
from authserver.keyring.sealing import MasterKeys

_ETAG_CHARACTERS = 32
_PUBLICATION_ORDER = (KeyState.ACTIVE, KeyState.NEXT, KeyState.RETIRING)


@dataclass(frozen=True, slots=True)
class Keyring:
    """The keys that sign, the keys that verify, and the published JWKS.

    Attributes:
        signing_key: the active signing key, which signs access tokens.
        mac_key: the active MAC key.
        jwks: the JWK Set as served; the same keys always give the same bytes, and it is never empty.
        jwks_etag: an entity tag for `jwks`, without quotes.
        master_keys: the fingerprints of the master keys that were loaded with this keyring, newest first.
    """

    signing_key: SigningKey
    mac_key: MacKey
    jwks: bytes = field(repr=False)
    jwks_etag: str
    master_keys: tuple[str, ...]
    _client_keys: Mapping[str, SigningKey] = field(repr=False)
    _verification_keys: Mapping[str, VerificationKey] = field(repr=False)
    _retired_keys: Mapping[str, tuple[VerificationKey, datetime]] = field(repr=False)
    _mac_keys: Mapping[str, MacKey] = field(repr=False)
    _ended_mac_keys: Mapping[str, KeyState] = field(repr=False)

    def find_verification_key(self, kid: str) -> VerificationKey | None:
        """The published key called `kid`."""
        return self._verification_keys.get(kid)

    def find_client_key(self, algorithm: str | None) -> SigningKey | None:
        """The key that signs what a client receives: ID tokens, logout tokens.

        `algorithm` is the one that the client asks for; None: the common one. None if no key of that algorithm signs.
        """
        return self._client_keys.get(self.signing_key.algorithm.name if algorithm is None else algorithm)

    @property
    def client_algorithms(self) -> tuple[str, ...]:
        """The algorithms that a client can get, the common one first."""
        return tuple(self._client_keys)

    def find_sign_out_key(self, kid: str, *, retired_after: datetime) -> VerificationKey | None:
        """The key called `kid`, if it is published, or was retired after `retired_after`; never a compromised one.

        For signing out only: an expired token can still end its session, also after its key was retired.
        """
        key, retired_at = self._retired_keys.get(kid, (None, retired_after))
        return key if retired_at > retired_after else self.find_verification_key(kid)

    def find_mac_key(self, kid: str) -> MacKey | None:
        """The MAC key called `kid`, if it is in use: next, active or retiring."""
        return self._mac_keys.get(kid)

    @property
    def mac_keys(self) -> tuple[MacKey, ...]:
        """The MAC keys in use: next, active and retiring."""
        return tuple(self._mac_keys.values())

    def find_ended_mac_key(self, kid: str) -> KeyState | None:
        """The state of `kid` if it is a retired or compromised MAC key of ours, so that its tokens are surely dead.

        An unknown id gives None and proves nothing: this node may not have read the newest keys yet.
        """
        return self._ended_mac_keys.get(kid)


def build_keyring(keys: KeySet, masters: MasterKeys) -> Keyring:
    """Open and check every key in use. Raises a `KeyringError` that names the first one that cannot be trusted."""
    published = sorted(_select_public(keys, *_PUBLICATION_ORDER), key=lambda key: _PUBLICATION_ORDER.index(key.state))
    public = {key.kid: _read_public_part(key) for key in published}
    # This opens the next key, too: a key that cannot be opened must be found before its promotion.
    private = {
        key.kid: _open_signing_key(key, public[key.kid], masters)
        for key in _select_public(keys, KeyState.NEXT, KeyState.ACTIVE)
    }
    signing_key = private[_load_active(keys, Purpose.SIGNING).kid]
    mac = {key.kid: _open_mac_key(key, masters) for key in keys.select(Purpose.MAC, *LIVE_STATES)}
    jwks = _write_jwks(public.values())
    return Keyring(
        signing_key=signing_key,
        mac_key=mac[_load_active(keys, Purpose.MAC).kid],
        jwks=jwks,
        jwks_etag=hashlib.sha256(jwks).hexdigest()[:_ETAG_CHARACTERS],
        master_keys=masters.fingerprints,
        _client_keys=MappingProxyType(
            {key.algorithm.name: key for key in (signing_key, *_list_id_token_keys(keys, private, signing_key))}
        ),
        _verification_keys=MappingProxyType(public),
        _retired_keys=MappingProxyType(_read_retired(keys)),
        _mac_keys=MappingProxyType(mac),
        _ended_mac_keys=MappingProxyType(
            {key.kid: key.state for key in keys.select(Purpose.MAC, KeyState.RETIRED, KeyState.COMPROMISED)}
        ),
    )


def _select_public(keys: KeySet, *states: KeyState) -> Iterator[StoredKey]:
    return (key for purpose in Purpose if purpose.is_public for key in keys.select(purpose, *states))


def _list_id_token_keys(
    keys: KeySet, private: Mapping[str, SigningKey], signing_key: SigningKey
) -> Iterator[SigningKey]:
    """The active keys of the algorithms that only clients ask for. The key of access tokens precedes one of its own."""
    for key in _select_public(keys, KeyState.ACTIVE):
        if key.algorithm != signing_key.algorithm.name:
            yield private[key.kid]


def _load_active(keys: KeySet, purpose: Purpose) -> StoredKey:
    active = keys.find_active(purpose)
    if active is None:
        raise NoActiveKeyError(f"no {purpose} key is active; run: authserver init")
    return active


def _read_public_part(key: StoredKey) -> VerificationKey:
    try:
        public = read_jwk(strict_json.load_object((key.public_jwk or "").encode()))
    except JoseError as error:
        raise BrokenKeyError(f"the public part of key {key.kid} is unusable: {error}") from None
    if (public.kid, public.algorithm.name) != (key.kid, key.algorithm):
        raise BrokenKeyError(f"the public part of key {key.kid} belongs to key {public.kid}, or to another algorithm")
    return public


def _read_retired(keys: KeySet) -> dict[str, tuple[VerificationKey, datetime]]:
    """The public parts of retired keys. An unreadable one is left out, so that it does not stop the others."""
    readable = {}
    for key in _select_public(keys, KeyState.RETIRED):
        with suppress(BrokenKeyError):
            readable[key.kid] = _read_public_part(key), key.since
    return readable


def _open_signing_key(key: StoredKey, public: VerificationKey, masters: MasterKeys) -> SigningKey:
    try:
        private_key = load_der_private_key(_unseal(key, masters), password=None)
    except ValueError:
        raise BrokenKeyError(f"the private part of key {key.kid} is unusable") from None
    if private_key.public_key() != public.public_key:
        raise BrokenKeyError(f"the private and the public part of key {key.kid} are not a pair")
    # It is the private half of a key that fits `public.algorithm`; mypy cannot see this.
    return SigningKey(key.kid, public.algorithm, private_key)  # type: ignore[arg-type]


def _open_mac_key(key: StoredKey, masters: MasterKeys) -> MacKey:
    return MacKey(key.kid, _unseal(key, masters))


def _unseal(key: StoredKey, masters: MasterKeys) -> bytes:
    return masters.unseal(key.kid, key.algorithm, key.purpose, key.sealed or "")


def _write_jwks(keys: Iterable[VerificationKey]) -> bytes:
    return json.dumps({"keys": [write_jwk(key) for key in keys]}, separators=(",", ":")).encode()
