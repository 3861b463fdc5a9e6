"""What readers of the feed are sent, kept in memory: as little as serves all of them, and never more than that.

Entries are kept as the text that the database holds. A page is their join, in an envelope that each answer gets anew.
"""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from authserver.clock import Reading
from authserver.storage.feed import Head

MOST_NEW: Final = 1000
"""Entries that are worth a page of their own. A reader that lacks more is sent the whole window, as all others are."""

KEPT_BYTES: Final = 4 * 2**20
"""Of pages since one cursor; those that were read first give way."""


def join_entries(bodies: Sequence[str]) -> bytes:
    """The inside of the JSON array."""
    return ",".join(bodies).encode()


@dataclass(frozen=True, slots=True)
class Window:
    """All that mattered when it was read, up to and with `head`."""

    head: Head
    entries: bytes
    read_at: Reading


class NewPages:
    """The pages since cursors that readers showed, up to one newest entry; a newer one makes them all worthless.

    Safe to share between threads.
    """

    def __init__(self, most_bytes: int = KEPT_BYTES) -> None:
        """Nothing is kept yet."""
        self._most = most_bytes
        self._head: Head | None = None
        self._pages: OrderedDict[Head, bytes] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    @property
    def kept_bytes(self) -> int:
        """How much is kept, without the cursors."""
        return self._bytes

    def find(self, since: Head, head: Head) -> bytes | None:
        """What follows `since` up to `head`, if it is kept."""
        with self._lock:
            return self._pages.get(since) if self._head == head else None

    def keep(self, since: Head, head: Head, entries: bytes) -> bytes:
        """Remember `entries`, which follow `since` up to `head`, and return them."""
        with self._lock:
            if self._head != head:
                self._head, self._bytes = head, 0
                self._pages.clear()
            self._bytes += len(entries) - len(self._pages.pop(since, b""))
            self._pages[since] = entries
            while self._bytes > self._most:
                self._bytes -= len(self._pages.popitem(last=False)[1])
        return entries
