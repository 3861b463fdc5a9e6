"""When whoever is sent away because there is too much to do should come back."""

from typing import Final

from authserver.protocol.entropy import Entropy

LONGEST_PAUSE: Final = 4
"""Seconds."""


def draw_pause(entropy: Entropy) -> int:
    """Seconds for `Retry-After`, from 1 to `LONGEST_PAUSE`, drawn anew: who is sent away together comes back apart."""
    return 1 + entropy(1)[0] % LONGEST_PAUSE
