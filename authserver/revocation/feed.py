"""Pages of the revocation feed, as resource servers read them (contract §5, design §6).

Thousands of readers ask for the same few pages, so each process remembers for a moment what it read from the database.
A cursor that is newer than this memory causes a new look-up. So a reader that changes between nodes never goes back.

No reader can slow down the others: an invented cursor costs one look-up and is answered with the window that all
readers share, memory is bounded, and each reader has a budget for whole windows.
"""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from authserver.clock import Clock, Reading
from authserver.patience import TURN_SECONDS
from authserver.protocol.limits import FEED_MARGIN, LEEWAY
from authserver.protocol.revocation_feed import FeedPage, write_page
from authserver.records.failures import StorageUnavailableError
from authserver.revocation.feed_pages import MOST_NEW, NewPages, Window, join_entries
from authserver.revocation.reader_budget import ReaderBudget
from authserver.storage import Database, feed
from authserver.storage.feed import EMPTY, Head
from authserver.trusted_time import Trusted

KEPT_SECONDS: Final = 0.25
"""How long the newest entry is served from memory."""
STALE_SECONDS: Final = 1.0
"""How long the newest entry is served while another thread looks it up, so that readers do not wait in a queue."""
WINDOW_KEPT_SECONDS: Final = 5.0
"""How old the whole window in memory may be. Later entries are appended to it; entries may repeat in a page."""
_PRUNED_AT_ONCE: Final = 500


def feed_window(access_token_lifetime: timedelta) -> timedelta:
    """How long a revocation stays in the feed: until every token that it makes invalid has expired."""
    return access_token_lifetime + LEEWAY + FEED_MARGIN


@dataclass(frozen=True, slots=True)
class ServedPage:
    """A page ready to be sent.

    Attributes:
        body: the page; None when the reader already has it.
        etag: the entity tag.
        at: when this was the newest page, in whole seconds since the epoch. Readers date their data by it.
        whole: whether it contains the whole window.
    """

    body: bytes | None
    etag: str
    at: int
    whole: bool = False


@dataclass(frozen=True, slots=True)
class _Glance:
    """The position of the newest entry, and when it was looked up."""

    head: Head
    at: Reading


class RevocationFeed:
    """Serves pages of the feed. Safe to share between threads.

    Args:
        database: holds the entries.
        issuer: the issuer named in each page.
        window: how long entries are served; see `feed_window`.
        clock: the clock for entries and for ages in memory.
    """

    def __init__(self, database: Database, issuer: str, window: timedelta, clock: Clock) -> None:
        """Read nothing yet."""
        self._database = database
        self._issuer = issuer
        self._window = window
        self._clock = clock
        self._glance: _Glance | None = None
        self._new = NewPages()
        self._kept_window: Window | None = None
        self._looking, self._reading_new, self._reading_window = threading.Lock(), threading.Lock(), threading.Lock()
        self.budget = ReaderBudget(clock)

    def read(self, cursor: str, known_etag: str | None) -> ServedPage:
        """The page after `cursor`. An empty, unknown or too old cursor gets the whole window, marked as `reset`."""
        since = _parse_cursor(cursor)
        glance = self._find_head(since)
        head, at = glance.head, int(glance.at.wall)
        etag = _name_page(head, self._window, cursor)
        if etag == known_etag:
            return ServedPage(None, etag, at)
        entries = None if since == EMPTY else self._read_new(since, head)
        if entries is not None:
            return ServedPage(self._write(head, entries, at, reset=False), etag, at)
        entries = self._read_window(head)
        return ServedPage(self._write(head, entries, at, reset=True), etag, at, whole=True)

    def prune(self, at: Trusted) -> int:
        """Remove a few entries that no longer matter; return how many."""
        with self._database.write() as tx:
            return feed.prune(tx, at.now, self._window, limit=_PRUNED_AT_ONCE)

    def _find_head(self, since: Head) -> _Glance:
        glance = self._find_glance(since, KEPT_SECONDS)
        if glance is None and self._looking.locked():
            glance = self._find_glance(since, STALE_SECONDS)
        if glance is None:
            with _one_at_a_time(self._looking):
                # The thread before this one may have looked it up meanwhile.
                glance = self._find_glance(since, KEPT_SECONDS) or self._look()
        return glance

    def _find_glance(self, since: Head, age: float) -> _Glance | None:
        """The remembered position, if it is younger than `age` seconds and not older than `since`."""
        glance = self._glance
        if glance is None or glance.at.age(self._clock) >= age or since.position > glance.head.position:
            return None
        return glance

    def _look(self) -> _Glance:
        asked = Reading.of(self._clock)  # before the query, because its result may be as old as its start
        with self._database.read() as tx:
            self._glance = glance = _Glance(feed.find_head(tx), asked)
        return glance

    def _read_new(self, since: Head, head: Head) -> bytes | None:
        """The entries after `since`; None if the cursor is unknown or too old, and the whole window must be sent."""
        kept = self._new.find(since, head)
        if kept is not None or since == head:
            return kept or b""
        with self._database.read() as tx:
            if since.position > head.position or not feed.holds(tx, since):
                return None
        with _one_at_a_time(self._reading_new):
            kept = self._new.find(since, head)
            if kept is not None:
                return kept
            with self._database.read() as tx:
                bodies = feed.list_since(tx, since, head, limit=MOST_NEW)
            return None if bodies is None else self._new.keep(since, head, join_entries(bodies))

    def _read_window(self, head: Head) -> bytes:
        """All entries up to `head` that still matter: those in memory, and those added since."""
        with _one_at_a_time(self._reading_window):
            kept, since = self._kept_window, None
            if kept is not None and kept.read_at.age(self._clock) < WINDOW_KEPT_SECONDS:
                since = self._read_new(kept.head, head)
            if kept is None or since is None:
                asked = Reading.of(self._clock)
                with self._database.read() as tx:
                    bodies = feed.list_window(tx, self._clock.now(), self._window, head)
                kept, since = Window(head, join_entries(bodies), asked), b""
                self._kept_window = kept
        return b",".join(filter(None, (kept.entries, since)))

    def _write(self, head: Head, entries: bytes, at: int, *, reset: bool) -> bytes:
        page = FeedPage(
            issuer=self._issuer,
            cursor=_write_cursor(head),
            reset=reset,
            window=int(self._window.total_seconds()),
            generated_at=at,
            entries=(),
        )
        empty = json.dumps(write_page(page), separators=(",", ":")).encode()
        return b"%b%b]}" % (empty.removesuffix(b"]}"), entries)


@contextmanager
def _one_at_a_time(lock: threading.Lock) -> Iterator[None]:
    """Let one thread query the database for all; the others give up in time if the database does not answer."""
    if not lock.acquire(timeout=TURN_SECONDS):
        raise StorageUnavailableError("others are reading the feed")
    try:
        yield
    finally:
        lock.release()


def _write_cursor(head: Head) -> str:
    return f"{head.position}.{head.entry_id}"


def _parse_cursor(cursor: str) -> Head:
    """The position in `cursor`; `EMPTY`, which gets the whole window, if it is malformed."""
    position, _, entry_id = cursor.partition(".")
    if not (position.isascii() and position.isdigit() and len(position) < len(str(2**63))):
        return EMPTY
    return Head(int(position), entry_id)


def _name_page(head: Head, window: timedelta, cursor: str) -> str:
    """The entity tag of a page. It depends on position, window and cursor, so it is the same on every node."""
    text = f"{head.position}.{head.entry_id}|{window.total_seconds()}|{cursor}"
    return hashlib.sha256(text.encode()).hexdigest()[:32]
