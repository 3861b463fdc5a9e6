"""Pages of the revocation feed, as resource servers read them (contract §5, design §6).

Thousands of readers ask for the same few pages: what was read from the database is kept for a moment in this process.
A cursor that is ahead of what is kept makes it look again, so no reader ever jumps back from node to node.
"""

import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from authserver.clock import Clock, Reading
from authserver.protocol.revocation_feed import FeedPage, write_page
from authserver.storage import Database, StorageUnavailableError, feed
from authserver.storage.feed import EMPTY, Head
from authserver.storage.patience import TURN_SECONDS
from authserver.timekeeping import Trusted

KEPT_SECONDS: Final = 0.25
"""How long what was looked up is handed out."""
STALE_SECONDS: Final = 1.0
"""How long it is while somebody looks again: readers do not queue behind the database."""
_KEPT_PAGES: Final = 64
_PRUNED_AT_ONCE: Final = 500
LEEWAY: Final = timedelta(seconds=30)
MARGIN: Final = timedelta(seconds=60)


def feed_window(access_token_lifetime: timedelta) -> timedelta:
    """How long a revocation stays in the feed: no token that it condemns is unexpired afterwards."""
    return access_token_lifetime + LEEWAY + MARGIN


@dataclass(frozen=True, slots=True)
class ServedPage:
    """A page ready to be sent.

    Attributes:
        body: None when the reader has it already.
        etag: the entity tag.
        at: when this was the newest page, whole seconds since the epoch: readers date what they know by it.
    """

    body: bytes | None
    etag: str
    at: int


@dataclass(frozen=True, slots=True)
class _Glance:
    """The newest entry, and when it was looked up."""

    head: Head
    at: Reading


@dataclass(frozen=True, slots=True)
class _KeptPage:
    """A page that is kept: written once, but for the stamp, which each answer gets anew."""

    before: bytes
    after: bytes

    @classmethod
    def of(cls, page: FeedPage) -> "_KeptPage":
        # No string can hold this: its quotation marks would be escaped.
        before, name, after = json.dumps(write_page(page), separators=(",", ":")).partition('"generated_at":0')
        return cls((before + name).removesuffix("0").encode(), after.encode())

    def stamp(self, at: int) -> bytes:
        return b"%b%d%b" % (self.before, at, self.after)


class RevocationFeed:
    """Serves pages; safe to share between threads.

    Args:
        database: where the entries are.
        issuer: whose feed it is.
        window: see `feed_window`.
        clock: tells the time.
    """

    def __init__(self, database: Database, issuer: str, window: timedelta, clock: Clock) -> None:
        """Read nothing yet."""
        self._database = database
        self._issuer = issuer
        self._window = window
        self._clock = clock
        self._glance: _Glance | None = None
        self._pages: OrderedDict[tuple[Head, str], _KeptPage] = OrderedDict()
        self._looking = threading.Lock()
        self._reading = threading.Lock()

    def read(self, cursor: str, known_etag: str | None) -> ServedPage:
        """The page after `cursor`; empty, unknown or too old a cursor gets all that matters, marked as `reset`."""
        since = _parse_cursor(cursor)
        glance = self._find_head(since)
        head, at = glance.head, int(glance.at.wall)
        etag = _name_page(head, self._window, cursor)
        if etag == known_etag:
            return ServedPage(None, etag, at)
        with _one_at_a_time(self._reading):
            page = self._pages.get((head, cursor))
            if page is None:
                page = self._pages[head, cursor] = self._build(since, head)
                while len(self._pages) > _KEPT_PAGES:
                    self._pages.popitem(last=False)
        return ServedPage(page.stamp(at), etag, at)

    def prune(self, at: Trusted) -> int:
        """Remove a few of the entries that matter to nobody any more; how many."""
        with self._database.write() as tx:
            return feed.prune(tx, at.now, self._window, limit=_PRUNED_AT_ONCE)

    def _find_head(self, since: Head) -> _Glance:
        glance = self._find_glance(since, KEPT_SECONDS)
        if glance is None and self._looking.locked():
            glance = self._find_glance(since, STALE_SECONDS)
        if glance is None:
            with _one_at_a_time(self._looking):
                # Whoever was inside may have found what this reader waited for.
                glance = self._find_glance(since, KEPT_SECONDS) or self._look()
        return glance

    def _find_glance(self, since: Head, age: float) -> _Glance | None:
        """What was seen, if it is younger than `age` seconds and not behind `since`."""
        glance = self._glance
        if glance is None or glance.at.age(self._clock) >= age or since.position > glance.head.position:
            return None
        return glance

    def _look(self) -> _Glance:
        asked = Reading.of(self._clock)  # before looking: what is found may be as old as the question
        with self._database.read() as tx:
            self._glance = glance = _Glance(feed.find_head(tx), asked)
        return glance

    def _build(self, since: Head, head: Head) -> _KeptPage:
        now = self._clock.now()
        with self._database.read() as tx:
            entries = None if since == EMPTY else feed.list_since(tx, since, head)
            reset = entries is None
            if entries is None:
                entries = feed.list_window(tx, now, self._window, head)
        page = FeedPage(
            issuer=self._issuer,
            cursor=_write_cursor(head),
            reset=reset,
            window=int(self._window.total_seconds()),
            generated_at=0,
            entries=tuple(entries),
        )
        return _KeptPage.of(page)


@contextmanager
def _one_at_a_time(lock: threading.Lock) -> Iterator[None]:
    """Ask the database for everybody, but keep nobody waiting who waits behind a database that is silent."""
    if not lock.acquire(timeout=TURN_SECONDS):
        raise StorageUnavailableError("others are reading the feed")
    try:
        yield
    finally:
        lock.release()


def _write_cursor(head: Head) -> str:
    return f"{head.position}.{head.entry_id}"


def _parse_cursor(cursor: str) -> Head:
    """What `cursor` names; `EMPTY`, which gets everything, for one that is none of ours."""
    position, _, entry_id = cursor.partition(".")
    if not (position.isascii() and position.isdigit() and len(position) < len(str(2**63))):
        return EMPTY
    return Head(int(position), entry_id)


def _name_page(head: Head, window: timedelta, cursor: str) -> str:
    """The entity tag: it depends on position, window and cursor, never on the node."""
    text = f"{head.position}.{head.entry_id}|{window.total_seconds()}|{cursor}"
    return hashlib.sha256(text.encode()).hexdigest()[:32]
