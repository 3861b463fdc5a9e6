"""What a refresh-token string proves to this node, from the keys in memory alone."""

from dataclasses import dataclass

from authserver.protocol.refresh_token import Malformed, RefreshToken, UnknownMacKey, parse_refresh_token
from authserver.realm.realm import Realm


@dataclass(frozen=True, slots=True)
class EndedMacKey:
    """Tagged by a key that is retired or compromised: whoever shows it gets nothing, and has done nothing wrong."""

    mac_kid: str


Proof = RefreshToken | Malformed | EndedMacKey | UnknownMacKey


def prove_refresh_token(realm: Realm, text: str) -> Proof:
    """The position that `text` proves, or why none. Asks no database, except once a second for an unknown key."""

    def find_secret(kid: str) -> bytes | None:
        mac_key = realm.keyring.find_mac_key(kid)
        return None if mac_key is None else mac_key.secret

    proof = parse_refresh_token(text, find_secret)
    if isinstance(proof, UnknownMacKey) and realm.keyring.current.find_ended_mac_key(proof.mac_kid) is not None:
        return EndedMacKey(proof.mac_kid)
    return proof
