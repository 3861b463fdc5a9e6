"""How long a client should wait after an overloaded server has turned it away."""

from typing import Final

from authserver.protocol.entropy import Entropy

LONGEST_PAUSE: Final = 4
"""Seconds."""


def draw_pause(entropy: Entropy) -> int:
    """Draw the seconds of `Retry-After`, 1 to `LONGEST_PAUSE`, so that clients refused together return apart."""
    return 1 + entropy(1)[0] % LONGEST_PAUSE
