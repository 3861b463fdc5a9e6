"""Texts that prove their own origin: a payload, the id of a MAC key, a MAC tag and a checksum, in base64url.

Such a text is derived from a row and a key whenever it is needed, and stored nowhere. A copy of the database alone
cannot make one, and neither can a copy of the keys alone. Payloads have a length that makes the whole a multiple of
three bytes, so that every changed character changes a byte.

The checksum proves nothing. It tells a damaged text (refused for good) from one whose MAC key this node has not loaded
yet (try again later). Without it, a flipped bit in the key id would look like a key that is not loaded.
"""

import hashlib
import hmac
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from authserver.protocol import base64url

MAC_KEY_ID_BYTES = 4
_FORMAT = 1
_HEAD = struct.Struct(f">B{MAC_KEY_ID_BYTES}s")
_TAG_BYTES = 22  # above the 160 bits that OAuth 2.1 §7 recommends against guessing
_CHECKSUM = struct.Struct(">I")


@dataclass(frozen=True, slots=True)
class Malformed:
    """Not a text of ours, or its tag is wrong: it names no row and must not end anything."""


@dataclass(frozen=True, slots=True)
class UnknownMacKey:
    """Well formed, but this node does not know the MAC key: the text can be neither trusted nor called invalid."""

    mac_kid: str


@dataclass(frozen=True, slots=True)
class Proven:
    """The payload of a text, tagged with the MAC key `mac_kid`."""

    mac_kid: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class ProvenText:
    """One kind of self-proving text. `domain` keeps a text of one kind from passing for another."""

    prefix: str
    domain: bytes
    payload_bytes: int

    def __post_init__(self) -> None:
        """Refuse a kind whose texts could not be read back, or would have two spellings."""
        if self._size % 3:
            raise ValueError(f"texts of {self._size} bytes do not fill their last character")

    @property
    def length(self) -> int:
        """The number of characters in each text of this kind."""
        return len(self.prefix) + self._size * 4 // 3

    @property
    def _size(self) -> int:
        return _HEAD.size + self.payload_bytes + _TAG_BYTES + _CHECKSUM.size

    def write(self, proven: Proven, mac_key: bytes) -> str:
        """The text for `proven`; the same arguments always give the same text."""
        body = _HEAD.pack(_FORMAT, bytes.fromhex(proven.mac_kid)) + proven.payload
        tagged = body + self._tag(mac_key, body)
        return self.prefix + base64url.encode(tagged + _CHECKSUM.pack(zlib.crc32(tagged)))

    def read(self, text: str, find_mac_key: Callable[[str], bytes | None]) -> Proven | Malformed | UnknownMacKey:
        """Check form and tag of `text`. Does NOT check what its row says; only the database knows."""
        data = self._decode(text)
        if data is None:
            return Malformed()
        tagged, (checksum,) = data[: -_CHECKSUM.size], _CHECKSUM.unpack(data[-_CHECKSUM.size :])
        body, tag = tagged[:-_TAG_BYTES], tagged[-_TAG_BYTES:]
        version, mac_key_id = _HEAD.unpack(body[: _HEAD.size])
        if zlib.crc32(tagged) != checksum or version != _FORMAT:
            return Malformed()
        mac_key = find_mac_key(mac_key_id.hex())
        if mac_key is None:
            return UnknownMacKey(mac_key_id.hex())
        if not hmac.compare_digest(tag, self._tag(mac_key, body)):
            return Malformed()
        return Proven(mac_key_id.hex(), body[_HEAD.size :])

    def _decode(self, text: str) -> bytes | None:
        if len(text) != self.length or not text.startswith(self.prefix):
            return None
        try:
            return base64url.decode(text[len(self.prefix) :])
        except ValueError:
            return None

    def _tag(self, mac_key: bytes, body: bytes) -> bytes:
        mac = _begin_mac(mac_key, self.domain).copy()
        mac.update(body)
        return mac.digest()[:_TAG_BYTES]


@lru_cache(maxsize=16)
def _begin_mac(mac_key: bytes, domain: bytes) -> hmac.HMAC:
    # Every refresh makes two tags, and setting OpenSSL up for a tag costs three times as much as the tag itself.
    return hmac.new(mac_key, domain, hashlib.sha256)
