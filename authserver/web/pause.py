"""When whoever was turned away should come back."""

from typing import Final

from authserver.protocol.entropy import Entropy

LONGEST: Final = 5
"""Seconds."""


def draw_pause(entropy: Entropy) -> int:
    """Seconds for `Retry-After`, from 1 to `LONGEST`, drawn anew: who was turned away together comes back apart."""
    return 1 + entropy(1)[0] % LONGEST
