"""One reader's place in the revocation feed: asks for what is new (contract §5) and merges it.

`fresh_since` is the promise: everything that was revoked before that moment is in `state`. It counts from the start of
the request, less the time that the answer spent in caches. A page that says more than this code understands takes the
promise back: what is known may then be too little. Any other failure leaves everything as it is, to grow old.
Not for several threads at once; asking `state` and `fresh_since` meanwhile is fine.
"""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from authserver.clock import Clock
from authserver.protocol.revocation_feed import FeedPage, InvalidFeedError, UnknownFeedError, read_page
from authserver.protocol.secret import Secret
from authserver.verifier.feed_state import FeedState
from authserver.verifier.fetch import Call, Fetched, FetchError, exchange

TIMEOUT = 4.0
"""Seconds for one poll as a whole."""
LARGEST_PAGE = 32 * 1024 * 1024
"""Bytes: some 250,000 entries."""
SNAPSHOT_INTERVAL = 3600.0
"""Seconds after which everything is read anew, in case that reader and server have come to differ."""
_FORGET_INTERVAL = 60.0
_UNUSABLE_CURSOR = frozenset({400, 404, 410, 414})

Exchange = Callable[[Call], Fetched]


@dataclass(frozen=True, slots=True)
class FeedSource:
    """Where the feed of `issuer` is, and as whom it is read. `uri` has passed `fetch.check_url` and has no query."""

    uri: str
    issuer: str
    authorization: Secret


def ask_feed(call: Call) -> Fetched:
    """The answer to `call` within `TIMEOUT` and `LARGEST_PAGE`."""
    return exchange(call, timeout=TIMEOUT, largest=LARGEST_PAGE)


class FeedReader:
    """Reads the feed at `source` step by step."""

    def __init__(self, source: FeedSource, *, leeway: float, clock: Clock, ask: Exchange = ask_feed) -> None:
        """Ask nothing yet. `leeway`: see `FeedState`."""
        self.state = FeedState(leeway=leeway)
        self.fresh_since = -math.inf
        """Seconds on the monotonic clock."""
        self._source = source
        self._clock = clock
        self._ask = ask
        self._cursor = ""
        self._copy: tuple[str, str | None] = ("", None)  # the URL that was answered last, and its entity tag
        self._next_snapshot_at = math.inf
        self._next_forgetting_at = -math.inf

    def poll(self) -> None:
        """Ask once. `FetchError` or `InvalidFeedError` when that brought nothing."""
        began_at = self._clock.monotonic()
        if began_at >= self._next_snapshot_at:
            self._cursor = ""
        call = self._next_call()
        try:
            fetched = self._ask(call)
            if fetched.modified:
                self._take(_read_body(fetched.body), began_at)
                self._copy = (call.url, fetched.etag)
        except UnknownFeedError:
            self.fresh_since = -math.inf
            raise
        except FetchError as error:
            if error.status in _UNUSABLE_CURSOR:
                self._cursor = ""
            raise
        # Not the later one of both: an answer that is older than what is known is at least not younger than it says.
        self.fresh_since = max(self.fresh_since, began_at - fetched.age)
        self._forget(began_at)

    def _next_call(self) -> Call:
        url = f"{self._source.uri}?cursor={quote(self._cursor, safe='')}" if self._cursor else self._source.uri
        asked, etag = self._copy
        return Call(url, self._source.authorization, etag if url == asked else None)

    def _take(self, page: FeedPage, began_at: float) -> None:
        if page.issuer != self._source.issuer:
            raise InvalidFeedError("the feed of another issuer")
        if not self._cursor:
            self._next_snapshot_at = began_at + SNAPSHOT_INTERVAL
        self.state.apply(page, int(began_at))
        self._cursor = page.cursor

    def _forget(self, now: float) -> None:
        if now >= self._next_forgetting_at:
            self._next_forgetting_at = now + _FORGET_INTERVAL
            self.state.forget(int(now))


def _read_body(body: bytes) -> FeedPage:
    """Its author has proved who it is, so `jose.strict_json`, nine times slower, is not needed here."""
    try:
        members = json.loads(body)
    except (ValueError, RecursionError):
        raise InvalidFeedError("not JSON") from None
    return read_page(members)
