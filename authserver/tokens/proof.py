"""Checks the MAC of refresh tokens, mailed links and device tokens, with the keys in memory."""

from dataclasses import dataclass
from typing import TypeVar

from authserver.protocol.device_token import DeviceToken, parse_device_token
from authserver.protocol.link_token import LinkToken, parse_link_token
from authserver.protocol.refresh_token import Malformed, RefreshToken, UnknownMacKey, parse_refresh_token
from authserver.realm.realm import Realm

Proof = TypeVar("Proof")


@dataclass(frozen=True, slots=True)
class EndedMacKey:
    """The text is tagged with a retired or compromised key: it is refused, but its presenter did nothing wrong."""

    mac_kid: str


def prove_refresh_token(realm: Realm, text: str) -> RefreshToken | Malformed | EndedMacKey | UnknownMacKey:
    """Check `text`; return its position, or why it proves none. An unknown key reads the database once a second."""
    return _name_ended(realm, parse_refresh_token(text, lambda kid: find_mac_secret(realm, kid)))


def prove_link_token(realm: Realm, text: str) -> LinkToken | Malformed | EndedMacKey | UnknownMacKey:
    """Check the token of a mailed link; return the link, or why `text` proves none."""
    return _name_ended(realm, parse_link_token(text, lambda kid: find_mac_secret(realm, kid)))


def prove_device_token(realm: Realm, text: str) -> DeviceToken | None:
    """Check the token of a known device; None if it is not ours. An unknown key reads the database once a second."""
    return parse_device_token(text, lambda kid: find_mac_secret(realm, kid))


def find_mac_secret(realm: Realm, kid: str) -> bytes | None:
    """The secret of the MAC key `kid`, or None. An unknown key reads the database once a second."""
    mac_key = realm.keyring.find_mac_key(kid)
    return None if mac_key is None else mac_key.secret


def _name_ended(realm: Realm, proof: Proof | UnknownMacKey) -> Proof | EndedMacKey | UnknownMacKey:
    if isinstance(proof, UnknownMacKey) and realm.keyring.current.find_ended_mac_key(proof.mac_kid) is not None:
        return EndedMacKey(proof.mac_kid)
    return proof
