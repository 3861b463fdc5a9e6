"""The nonces of DPoP proofs (RFC 9449 §8, §9): the time, tagged with a MAC key, so that every node knows every nonce.

Nothing of a nonce is stored. Who has no MAC key can make none ahead of time.
"""

import struct
from collections.abc import Callable
from typing import Final

from authserver.protocol.proven_text import Proven, ProvenText

NONCE_LIFETIME: Final = 300
"""Seconds for which a nonce is accepted. A client that refreshes shortly before its access token expires needs one
round trip, not two."""
_STEP: Final = 30
_PAYLOAD = struct.Struct(">Q")
_TEXT = ProvenText("", b"authserver dpop nonce\0", _PAYLOAD.size)


def write_nonce(now: float, mac_kid: str, mac_key: bytes) -> str:
    """The nonce of this half minute, tagged with the MAC key `mac_kid`. `now` is in seconds since the epoch."""
    started_at = int(now) // _STEP * _STEP
    return _TEXT.write(Proven(mac_kid, _PAYLOAD.pack(started_at)), mac_key)


def read_nonce(text: str, now: float, leeway: float, find_mac_key: Callable[[str], bytes | None]) -> int | None:
    """When the nonce `text` was made; None if it is not ours or not accepted any more.

    `leeway`: how far ahead of `now` it may have been made, because the clocks of two nodes differ.
    """
    match _TEXT.read(text, find_mac_key):
        case Proven(payload=payload):
            (made_at,) = _PAYLOAD.unpack(payload)
            return made_at if now - NONCE_LIFETIME < made_at <= now + leeway else None
        case _:
            return None
