"""Remembers the DPoP proofs that this process has accepted, so that it accepts none twice (RFC 9449 §11.1).

Bounded: at most `CAPACITY` proofs. Beyond that the one that ends first is forgotten, and from then on every proof that
ends no later is refused. So more proofs than fit shorten the time in which a proof is accepted, and let no second use
pass. Other processes know nothing of these proofs.
"""

import heapq
import threading
from typing import Final

CAPACITY: Final = 65_536
"""With 90 s for each proof, enough for 700 requests a second; some 15 MB when full."""


class UsedProofs:
    """The used proofs by digest. Thread-safe."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        """Remember up to `capacity` proofs."""
        self._capacity = capacity
        self._lock = threading.Lock()
        self._digests: set[bytes] = set()
        self._ends: list[tuple[int, bytes]] = []
        self._forgotten_until = 0

    def use(self, digest: bytes, expires_at: int, now: float) -> bool:
        """Remember a proof until `expires_at`; False if it was used before, or may have been."""
        with self._lock:
            self._forget(now)
            if digest in self._digests or expires_at <= self._forgotten_until:
                return False
            self._digests.add(digest)
            heapq.heappush(self._ends, (expires_at, digest))
            return True

    def _forget(self, now: float) -> None:
        while self._ends and self._ends[0][0] <= now:
            self._digests.discard(heapq.heappop(self._ends)[1])
        while len(self._ends) >= self._capacity:
            ends_at, digest = heapq.heappop(self._ends)
            self._digests.discard(digest)
            self._forgotten_until = ends_at
