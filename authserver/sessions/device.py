"""Device identifiers: chosen by the client or by the server, unique per user (Matrix)."""

import re

from authserver.protocol.entropy import Entropy, new_id

DEVICE_ID_PATTERN = "[A-Za-z0-9._~:-]{1,64}"
_DEVICE_ID = re.compile(DEVICE_ID_PATTERN + r"\Z")
DEVICE_NAME_LENGTH = 100


def is_device_id(text: str) -> bool:
    """Whether a client may use `text`: 1 to 64 characters that need no escaping in a URL or a log."""
    return bool(_DEVICE_ID.match(text))


def choose_device_id(entropy: Entropy) -> str:
    """Make a device id for a client that names none."""
    return new_id(entropy)
