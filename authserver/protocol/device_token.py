"""The token of a known device: a browser or program in which a certain user once proved who they are.

It signs nobody in. A device that shows it is not kept out by the wrong passwords of strangers (see
`authentication.known_device`). Nothing of it is stored (see `proven_text`); its MAC makes it impossible to forge.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass

from authserver.protocol.proven_text import Malformed, Proven, ProvenText, UnknownMacKey

USER_DIGEST_BYTES = 12
DEVICE_BYTES = 14
_PAYLOAD = struct.Struct(f">IQ{USER_DIGEST_BYTES}s{DEVICE_BYTES}s")
_TEXT = ProvenText("dt_", b"authserver known device\0", _PAYLOAD.size)


@dataclass(frozen=True, slots=True)
class DeviceToken:
    """The content of a device token.

    Attributes:
        expires_at: seconds since the epoch.
        credential_version: the user's credential version when they proved who they are.
        user_digest: identifies the user without naming them.
        device: random, so that each device has a token of its own.
    """

    expires_at: int
    credential_version: int
    user_digest: bytes
    device: bytes


def format_device_token(token: DeviceToken, mac_kid: str, mac_key: bytes) -> str:
    """The text of `token`, tagged with the MAC key `mac_kid`."""
    payload = _PAYLOAD.pack(token.expires_at, token.credential_version, token.user_digest, token.device)
    return _TEXT.write(Proven(mac_kid, payload), mac_key)


def parse_device_token(text: str, find_mac_key: Callable[[str], bytes | None]) -> DeviceToken | None:
    """The content of `text` if its MAC is right, or None. NOT checked: whether the device is still known."""
    match _TEXT.read(text, find_mac_key):
        case Proven(payload=payload):
            return DeviceToken(*_PAYLOAD.unpack(payload))
        case Malformed() | UnknownMacKey():
            return None
