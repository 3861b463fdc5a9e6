"""Repeatable randomness, so that a failing test fails again."""

import random


class SeededEntropy:
    """An `authserver.protocol.entropy.Entropy`: same seed, same bytes, in the same order."""

    def __init__(self, seed: int = 0) -> None:
        """Begin the sequence that belongs to `seed`."""
        self._random = random.Random(seed)

    def __call__(self, size: int) -> bytes:
        """Return the next `size` bytes."""
        return self._random.randbytes(size)
