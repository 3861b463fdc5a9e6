"""Heartbeats, by which the parent notices a worker that is stopped, frozen, or in a call that never returns.

The kernel goes on giving connections to such a worker, and it may hold rows that others wait for. Each worker sends a
heartbeat every second. A worker without one for `FROZEN_SECONDS` is killed, and replaced like any worker that ends.
"""

import os
import struct
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

from authserver.clock import SystemClock

FROZEN_SECONDS: Final = 10.0
BEAT_SECONDS: Final = 1.0
_PROCESS_ID: Final = struct.Struct("i")


class Pulse:
    """A pipe from all workers to their parent. Made before the first fork."""

    def __init__(self) -> None:
        """Open the pipe."""
        self._hear, self._tell = os.pipe()
        os.set_blocking(self._hear, False)
        os.set_blocking(self._tell, False)
        self._heard_at: dict[int, float] = {}
        self._looked_at = SystemClock().monotonic()

    def beat(self) -> None:
        """Start sending heartbeats, in a worker."""
        threading.Thread(target=self._beat, name="pulse", daemon=True).start()

    def _beat(self) -> None:
        own = _PROCESS_ID.pack(os.getpid())
        while True:
            with suppress(BlockingIOError):  # the pipe is full, because the parent itself is frozen
                os.write(self._tell, own)
            time.sleep(BEAT_SECONDS)

    def find_frozen(self, workers: Iterable[int]) -> list[int]:
        """Find those of `workers` (process ids) without a heartbeat for too long. The parent calls it every second."""
        now = SystemClock().monotonic()
        for pid in self._hear_all():
            self._heard_at[pid] = now
        stood_still, self._looked_at = now - self._looked_at > 2 * BEAT_SECONDS, now
        if stood_still:  # the parent itself was frozen, and does not know what the workers did meanwhile
            self._heard_at.clear()
        self._heard_at = {pid: self._heard_at.get(pid, now) for pid in workers}
        return [pid for pid, heard_at in self._heard_at.items() if now - heard_at > FROZEN_SECONDS]

    def _hear_all(self) -> list[int]:
        heard = b""
        with suppress(BlockingIOError):
            while part := os.read(self._hear, 1024 * _PROCESS_ID.size):
                heard += part
        return [pid for (pid,) in _PROCESS_ID.iter_unpack(heard)]
