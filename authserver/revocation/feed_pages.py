"""Entries of the feed in memory: one shared window, and a bounded number of pages since recent cursors.

Entries are kept as the JSON text that the database holds. A page joins them in an envelope that each answer gets anew.
"""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from authserver.clock import Reading
from authserver.storage.feed import Head

MOST_NEW: Final = 1000
"""The most entries in a page since a cursor. A reader that lacks more is sent the whole window, which all share."""

KEPT_BYTES: Final = 4 * 2**20
"""The most bytes of pages since cursors; the oldest are dropped first."""


def join_entries(bodies: Sequence[str]) -> bytes:
    """Join entries to the inside of a JSON array."""
    return ",".join(bodies).encode()


@dataclass(frozen=True, slots=True)
class Window:
    """All entries up to and including `head` that mattered when they were read, at `read_at`."""

    head: Head
    entries: bytes
    read_at: Reading


class NewPages:
    """The pages since the cursors of readers, up to one newest entry. When a newer entry is found, all are dropped.

    Safe to share between threads.
    """

    def __init__(self, most_bytes: int = KEPT_BYTES) -> None:
        """Begin empty; keep at most `most_bytes` of pages."""
        self._most = most_bytes
        self._head: Head | None = None
        self._pages: OrderedDict[Head, bytes] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    @property
    def kept_bytes(self) -> int:
        """The number of bytes in memory, without the cursors."""
        return self._bytes

    def find(self, since: Head, head: Head) -> bytes | None:
        """The entries after `since` up to `head`, if they are in memory."""
        with self._lock:
            return self._pages.get(since) if self._head == head else None

    def keep(self, since: Head, head: Head, entries: bytes) -> bytes:
        """Remember `entries`, which follow `since` up to `head`; return them."""
        with self._lock:
            if self._head != head:
                self._head, self._bytes = head, 0
                self._pages.clear()
            self._bytes += len(entries) - len(self._pages.pop(since, b""))
            self._pages[since] = entries
            while self._bytes > self._most:
                self._bytes -= len(self._pages.popitem(last=False)[1])
        return entries
