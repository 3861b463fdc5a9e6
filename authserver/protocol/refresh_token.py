"""The refresh-token string: a position in a family that proves its own origin.

`rt_` + base64url(format byte, MAC-key id, family id, generation, tag, checksum). The string is derived from the
family's row and a MAC key of the keyring, so nothing of it is stored: a copy of the database mints no token, and a
copy of the keys names no family. 51 bytes are a multiple of three, so that every changed character changes a byte.

The checksum proves nothing. It tells a damaged token (refused for good) from one whose MAC key this node has not
loaded yet (try again later): without it, a flipped bit in the key id would look like the latter.
"""

import hashlib
import hmac
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from authserver.protocol import base64url

PREFIX = "rt_"
FAMILY_ID_BYTES = 16
MAC_KEY_ID_BYTES = 4
_FORMAT = 1
_BODY = struct.Struct(f">B{MAC_KEY_ID_BYTES}s{FAMILY_ID_BYTES}sI")
_TAG_BYTES = 22  # above the 160 bits that OAuth 2.1 §7 recommends against guessing
_CHECKSUM = struct.Struct(">I")
_TEXT_LENGTH = len(PREFIX) + (_BODY.size + _TAG_BYTES + _CHECKSUM.size) * 4 // 3
_DOMAIN = b"authserver refresh token\0"


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """Generation `generation` of the family with the internal id `family_id`, tagged by the MAC key `mac_kid`."""

    mac_kid: str
    family_id: bytes
    generation: int


@dataclass(frozen=True, slots=True)
class Malformed:
    """Not a refresh token of ours, or one whose tag does not fit: it names no family and may end none."""


@dataclass(frozen=True, slots=True)
class UnknownMacKey:
    """Well formed, but this node does not know the MAC key: it can neither be believed nor called invalid."""

    mac_kid: str


def format_refresh_token(token: RefreshToken, mac_key: bytes) -> str:
    """The string that a client holds for `token`; the same arguments always give the same string."""
    body = _BODY.pack(_FORMAT, bytes.fromhex(token.mac_kid), token.family_id, token.generation)
    proven = body + _tag(mac_key, body)
    return PREFIX + base64url.encode(proven + _CHECKSUM.pack(zlib.crc32(proven)))


def parse_refresh_token(
    text: str, find_mac_key: Callable[[str], bytes | None]
) -> RefreshToken | Malformed | UnknownMacKey:
    """What `text` proves. Checks form and tag only: that the family exists and is alive is the database's to say."""
    if len(text) != _TEXT_LENGTH or not text.startswith(PREFIX):
        return Malformed()
    try:
        data = base64url.decode(text[len(PREFIX) :])
    except ValueError:
        return Malformed()
    proven, (checksum,) = data[: -_CHECKSUM.size], _CHECKSUM.unpack(data[-_CHECKSUM.size :])
    if zlib.crc32(proven) != checksum:
        return Malformed()
    body, tag = proven[: _BODY.size], proven[_BODY.size :]
    version, mac_key_id, family_id, generation = _BODY.unpack(body)
    if version != _FORMAT:
        return Malformed()
    mac_kid = mac_key_id.hex()
    mac_key = find_mac_key(mac_kid)
    if mac_key is None:
        return UnknownMacKey(mac_kid)
    if not hmac.compare_digest(tag, _tag(mac_key, body)):
        return Malformed()
    return RefreshToken(mac_kid, family_id, generation)


def _tag(mac_key: bytes, body: bytes) -> bytes:
    return hmac.digest(mac_key, _DOMAIN + body, hashlib.sha256)[:_TAG_BYTES]
