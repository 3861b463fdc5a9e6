"""Randomness comes in as an argument, so that tests can repeat it and the linter can forbid any other source."""

from collections.abc import Callable

from authserver.protocol import base64url

Entropy = Callable[[int], bytes]
"""Returns the given number of unpredictable bytes; `secrets.token_bytes` in the product."""


def new_id(entropy: Entropy) -> str:
    """Make an opaque identifier of 128 random bits: 22 characters of base64url, the first of which is never a dash."""
    drawn = base64url.encode(entropy(16))
    while drawn.startswith("-"):  # a command line would take it for an option
        drawn = base64url.encode(entropy(16))
    return drawn
