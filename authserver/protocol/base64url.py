"""base64url without padding (RFC 7515 §2), with exactly one accepted spelling for each value."""

import base64
import binascii
import re

_ALPHABET = re.compile(r"[A-Za-z0-9_-]*\Z")


def encode(data: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode(text: str) -> bytes:
    """Decode `text`.

    Padding, foreign characters and non-zero trailing bits raise `ValueError`: a second spelling of the same token
    would slip past any list that names tokens by their text (RFC 7515 §2, RFC 4648 §3.5).
    """
    if not _ALPHABET.match(text):
        message = "not base64url"
        raise ValueError(message)
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error as error:
        message = "not base64url"
        raise ValueError(message) from error
    if encode(data) != text:
        message = "not the canonical spelling"
        raise ValueError(message)
    return data
