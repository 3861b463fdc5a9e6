"""The refresh-token string: a position in a family, with a MAC that proves its origin (see `proven_text`)."""

import struct
from collections.abc import Callable
from dataclasses import dataclass

from authserver.protocol.proven_text import MAC_KEY_ID_BYTES, Malformed, Proven, ProvenText, UnknownMacKey

__all__ = [
    "MAC_KEY_ID_BYTES",
    "Malformed",
    "RefreshToken",
    "UnknownMacKey",
    "format_refresh_token",
    "parse_refresh_token",
]

PREFIX = "rt_"
FAMILY_ID_BYTES = 16
_PAYLOAD = struct.Struct(f">{FAMILY_ID_BYTES}sI")
_TEXT = ProvenText(PREFIX, b"authserver refresh token\0", _PAYLOAD.size)


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """Generation `generation` of the family with the internal id `family_id`, tagged with the MAC key `mac_kid`."""

    mac_kid: str
    family_id: bytes
    generation: int


def format_refresh_token(token: RefreshToken, mac_key: bytes) -> str:
    """The string that a client holds for `token`; the same arguments always give the same string."""
    return _TEXT.write(Proven(token.mac_kid, _PAYLOAD.pack(token.family_id, token.generation)), mac_key)


def parse_refresh_token(
    text: str, find_mac_key: Callable[[str], bytes | None]
) -> RefreshToken | Malformed | UnknownMacKey:
    """Check form and tag of `text`. Does NOT check that the family exists and is alive; only the database knows."""
    proven = _TEXT.read(text, find_mac_key)
    if not isinstance(proven, Proven):
        return proven
    family_id, generation = _PAYLOAD.unpack(proven.payload)
    return RefreshToken(proven.mac_kid, family_id, generation)
