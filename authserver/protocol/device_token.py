"""The token of a known device: a browser or a program at which somebody proved to be a certain user.

It opens nothing. Whoever shows it is not kept out by the wrong passwords of strangers (see
`authentication.known_device`). Nothing of it is stored (see `proven_text`); its MAC makes it a secret that nobody can
make up.
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
    """What a token says.

    Attributes:
        expires_at: seconds since the epoch.
        credential_version: of the user, when they proved who they are.
        user_digest: which user, without naming them.
        device: random, so that each device is another one.
    """

    expires_at: int
    credential_version: int
    user_digest: bytes
    device: bytes


def format_device_token(token: DeviceToken, mac_kid: str, mac_key: bytes) -> str:
    """The text of `token`, tagged by the MAC key `mac_kid`."""
    payload = _PAYLOAD.pack(token.expires_at, token.credential_version, token.user_digest, token.device)
    return _TEXT.write(Proven(mac_kid, payload), mac_key)


def parse_device_token(text: str, find_mac_key: Callable[[str], bytes | None]) -> DeviceToken | None:
    """What `text` proves, or None. Whether the device is known still, is not checked here."""
    match _TEXT.read(text, find_mac_key):
        case Proven(payload=payload):
            return DeviceToken(*_PAYLOAD.unpack(payload))
        case Malformed() | UnknownMacKey():
            return None
