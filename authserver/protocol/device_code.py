"""The two codes of a device authorization (RFC 8628 §3.2), and the times that the contract fixes.

The device code is 256 random bits, and the database keeps its digest. A person has to type the user code, so it is
short: a digest of it could be undone by trying all codes. The database keeps a tag made with a MAC key, which is not
in the database.
"""

import hashlib
import hmac
from datetime import timedelta
from typing import Final

from authserver.protocol.entropy import Entropy

DEVICE_GRANT: Final = "urn:ietf:params:oauth:grant-type:device_code"
VERIFICATION_PATH: Final = "/device"
"""The page where people type the user code, below the issuer."""

DEVICE_CODE_LIFETIME: Final = timedelta(minutes=10)
POLL_INTERVAL: Final = timedelta(seconds=5)
SLOWER_BY: Final = timedelta(seconds=5)
"""What a poll that comes too early adds to the interval (RFC 8628 §3.5)."""

EARLY_BY: Final = timedelta(milliseconds=500)
"""How early a poll may come: a device that waits for the interval is not punished for a network that varies."""

USER_CODE_LETTERS: Final = "BCDFGHJKLMNPQRSTVWXZ"
"""No vowels, so that no words appear, and nothing that looks like a digit (RFC 8628 §6.1)."""

USER_CODE_LENGTH: Final = 8
_LONGEST_TYPED: Final = 64
_FAIR: Final = 256 // len(USER_CODE_LETTERS) * len(USER_CODE_LETTERS)
_DOMAIN: Final = b"authserver user code 1\0"


def new_user_code(entropy: Entropy) -> str:
    """Make a user code; every one is equally likely."""
    letters = ""
    while len(letters) < USER_CODE_LENGTH:
        # A byte above the last whole round of letters would favour the first ones.
        letters += "".join(USER_CODE_LETTERS[byte % len(USER_CODE_LETTERS)] for byte in entropy(16) if byte < _FAIR)
    return letters[:USER_CODE_LENGTH]


def show_user_code(user_code: str) -> str:
    """The user code as people read it: `WDJB-MJHT`."""
    half = USER_CODE_LENGTH // 2
    return f"{user_code[:half]}-{user_code[half:]}"


def read_user_code(typed: str) -> str | None:
    """The user code in what a person typed, whatever the case and the punctuation (RFC 8628 §6.1); None for no code."""
    if len(typed) > _LONGEST_TYPED:
        return None
    letters = "".join(letter.upper() if letter.isascii() else letter for letter in typed if letter.isalnum())
    return letters if len(letters) == USER_CODE_LENGTH and set(letters) <= set(USER_CODE_LETTERS) else None


def tag_user_code(mac_key: bytes, user_code: str) -> bytes:
    """What the database keeps of a user code."""
    return hmac.digest(mac_key, _DOMAIN + user_code.encode(), hashlib.sha256)
