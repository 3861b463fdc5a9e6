"""Reads the revocation feed: asks for new entries (contract §5) and merges them.

`fresh_since` is a promise: everything that was revoked before that moment is in `state`. It is the start of the
request, less the time that the answer spent in caches, and never later than the answer's own stamp allows
(`issuer_time`): `generated_at` of a page, `Date` less `Age` of a 304. After an answer that renews nothing, the whole
page is requested. A page with an unknown format or kind cancels the promise, because a revocation may be missing. After
any other failure, the state stays unchanged and becomes older.

Several threads may poll at once; their answers are merged one after the other.
"""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from authserver.clock import NEVER, Clock, Reading
from authserver.protocol.revocation_feed import FeedPage, InvalidFeedError, UnknownFeedError, read_page
from authserver.protocol.secret import Secret
from authserver.verifier.feed_state import FeedState
from authserver.verifier.fetch import Call, Fetched, FetchError, exchange
from authserver.verifier.issuer_time import IssuerTime
from authserver.verifier.process_lock import ProcessLock

TIMEOUT = 4.0
"""Seconds for one poll as a whole."""
LARGEST_PAGE = 32 * 1024 * 1024
"""Bytes: some 250,000 entries."""
SNAPSHOT_INTERVAL = 3600.0
"""Seconds after which the whole feed is read again, in case reader and server differ."""
_FORGET_INTERVAL = 60.0
_UNUSABLE_CURSOR = frozenset({400, 404, 410, 414})

Exchange = Callable[[Call], Fetched]
_NO_COPY: tuple[str, str | None] = ("", None)  # the URL of the last answer, and its entity tag


@dataclass(frozen=True, slots=True)
class FeedSource:
    """The address of the feed of `issuer`, and the credentials. `uri` has passed `fetch.check_url` and has no query."""

    uri: str
    issuer: str
    authorization: Secret


def ask_feed(call: Call) -> Fetched:
    """Send `call`, limited by `TIMEOUT` and `LARGEST_PAGE`, and return the answer."""
    return exchange(call, timeout=TIMEOUT, largest=LARGEST_PAGE)


class FeedReader:
    """Reads the feed at `source`, one poll at a time."""

    def __init__(self, source: FeedSource, *, leeway: float, clock: Clock, ask: Exchange = ask_feed) -> None:
        """Prepare; nothing is requested yet. `leeway`: see `FeedState`."""
        self.state = FeedState(leeway=leeway)
        self.fresh_since = NEVER
        self._source = source
        self._clock = clock
        self._ask = ask
        self._cursor = ""
        self._copy = _NO_COPY
        self._time = IssuerTime()
        self._merging = ProcessLock()
        self._read_whole = NEVER
        self._next_forgetting_at = -math.inf

    def poll(self) -> None:
        """Request the feed once. `FetchError` or `InvalidFeedError` if there is no usable answer."""
        asked = Reading.of(self._clock)
        if self._read_whole.until(asked) >= SNAPSHOT_INTERVAL:
            self._cursor = ""
        call = self._next_call()
        try:
            fetched = self._ask(call)
            answered = Reading.of(self._clock)
            page = _read_body(fetched.body) if fetched.modified else None
        except UnknownFeedError:
            self.fresh_since = NEVER
            raise
        except FetchError as error:
            if error.status in _UNUSABLE_CURSOR:
                self._cursor = ""
            raise
        with self._merging.own:
            if page is not None:
                self._take(page, asked)
                self._copy = (call.url, fetched.etag)
            self._renew(fetched, page, asked, answered)
            self._forget(asked.monotonic)

    def _next_call(self) -> Call:
        url = f"{self._source.uri}?cursor={quote(self._cursor, safe='')}" if self._cursor else self._source.uri
        asked, etag = self._copy
        return Call(url, self._source.authorization, etag if url == asked else None)

    def _take(self, page: FeedPage, asked: Reading) -> None:
        if page.issuer != self._source.issuer:
            raise InvalidFeedError("the feed of another issuer")
        if self.fresh_since == NEVER and asked.wall - page.generated_at > page.window:
            # By this machine's clock, all tokens that the page covers have expired.
            raise InvalidFeedError("an old page, or one of the two clocks is wrong")
        self.state.apply(page, int(asked.monotonic))
        self._cursor = page.cursor

    def _renew(self, fetched: Fetched, page: FeedPage | None, asked: Reading, answered: Reading) -> None:
        stamp = _find_stamp(fetched, page)
        if stamp is None:
            self._copy = _NO_COPY
            return
        dated = self._time.date(stamp, asked, answered)
        if self._time.is_settled:
            self.state.rewind(int(stamp))
            if page is not None and page.reset:
                self._read_whole = asked
        else:
            self._copy = _NO_COPY
        # Never moved back: an answer that is older than the state removes nothing.
        self.fresh_since = max(self.fresh_since, dated.shift(-fetched.age), key=lambda since: -since.until(asked))

    def _forget(self, now: float) -> None:
        if now >= self._next_forgetting_at:
            self._next_forgetting_at = now + _FORGET_INTERVAL
            self.state.forget(int(now))


def _find_stamp(fetched: Fetched, page: FeedPage | None) -> float | None:
    """The instant, on the issuer's clock, for which the answer was true; None if the issuer does not say."""
    if page is not None:
        return page.generated_at
    return None if fetched.sent_at is None else fetched.sent_at - fetched.age


def _read_body(body: bytes) -> FeedPage:
    """Parse a page. Its author is authenticated, so `jose.strict_json`, nine times slower, is not needed."""
    try:
        members = json.loads(body)
    except (ValueError, RecursionError):
        raise InvalidFeedError("not JSON") from None
    return read_page(members)
