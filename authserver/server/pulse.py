"""How the parent notices a worker that stands still: stopped, frozen, or caught in a call that never returns.

Such a worker holds connections that the kernel goes on handing to it, and perhaps rows that others wait for. Each
worker says every second that it runs; of whom nothing is heard for `FROZEN_SECONDS` is killed, and replaced as any
other worker that ends.
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
        """In a worker: say from now on that it runs."""
        threading.Thread(target=self._beat, name="pulse", daemon=True).start()

    def _beat(self) -> None:
        own = _PROCESS_ID.pack(os.getpid())
        while True:
            with suppress(BlockingIOError):  # the parent stands still itself
                os.write(self._tell, own)
            time.sleep(BEAT_SECONDS)

    def find_frozen(self, workers: Iterable[int]) -> list[int]:
        """In the parent, every second: those of `workers`, by process id, of whom nothing was heard for too long."""
        now = SystemClock().monotonic()
        for pid in self._hear_all():
            self._heard_at[pid] = now
        stood_still, self._looked_at = now - self._looked_at > 2 * BEAT_SECONDS, now
        if stood_still:  # the parent did, and cannot tell what the others did meanwhile
            self._heard_at.clear()
        self._heard_at = {pid: self._heard_at.get(pid, now) for pid in workers}
        return [pid for pid, heard_at in self._heard_at.items() if now - heard_at > FROZEN_SECONDS]

    def _hear_all(self) -> list[int]:
        heard = b""
        with suppress(BlockingIOError):
            while part := os.read(self._hear, 1024 * _PROCESS_ID.size):
                heard += part
        return [pid for (pid,) in _PROCESS_ID.iter_unpack(heard)]
