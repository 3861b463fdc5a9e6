"""What a refresh token, a mailed link or a known device proves to this node, from the keys in memory alone."""

from dataclasses import dataclass
from typing import TypeVar

from authserver.protocol.device_token import DeviceToken, parse_device_token
from authserver.protocol.link_token import LinkToken, parse_link_token
from authserver.protocol.refresh_token import Malformed, RefreshToken, UnknownMacKey, parse_refresh_token
from authserver.realm.realm import Realm

Proof = TypeVar("Proof")


@dataclass(frozen=True, slots=True)
class EndedMacKey:
    """Tagged by a key that is retired or compromised: whoever shows it gets nothing, and has done nothing wrong."""

    mac_kid: str


def prove_refresh_token(realm: Realm, text: str) -> RefreshToken | Malformed | EndedMacKey | UnknownMacKey:
    """The position that `text` proves, or why none. Asks no database, except once a second for an unknown key."""
    return _name_ended(realm, parse_refresh_token(text, lambda kid: _find_secret(realm, kid)))


def prove_link_token(realm: Realm, text: str) -> LinkToken | Malformed | EndedMacKey | UnknownMacKey:
    """The same for the token of a mailed link."""
    return _name_ended(realm, parse_link_token(text, lambda kid: _find_secret(realm, kid)))


def prove_device_token(realm: Realm, text: str) -> DeviceToken | None:
    """What the token of a known device says, if it is one of ours. Asks the database as little as the others."""
    return parse_device_token(text, lambda kid: _find_secret(realm, kid))


def _find_secret(realm: Realm, kid: str) -> bytes | None:
    mac_key = realm.keyring.find_mac_key(kid)
    return None if mac_key is None else mac_key.secret


def _name_ended(realm: Realm, proof: Proof | UnknownMacKey) -> Proof | EndedMacKey | UnknownMacKey:
    if isinstance(proof, UnknownMacKey) and realm.keyring.current.find_ended_mac_key(proof.mac_kid) is not None:
        return EndedMacKey(proof.mac_kid)
    return proof
