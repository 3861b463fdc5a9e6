"""Follows the revocation feed in the background, and checks tokens against it from memory (design §6).

One daemon thread per process polls. It starts at the first check, also in a forked process, and ends with `close` or
with its owner. A check waits for it in two cases only, for at most `PATIENCE`: before the first snapshot, and if there
was no poll for longer than `maximum_staleness`, as in a process that was frozen between two requests. The thread is
then replaced, since it may hang in an exchange that the freeze has interrupted. No lock is held during I/O.

The state becomes older while the issuer cannot be reached. Beyond `maximum_staleness`, `when_stale` decides: `refuse`
every token, `accept` tokens that are not known to be revoked, or `introspect` each token. In every case, no token is
accepted (except by introspection) before the first snapshot, or while the feed contains something that this code does
not understand.
"""

import logging
import math
import os
import threading
import weakref
from typing import Final, Literal

from authserver.clock import NEVER, Clock, Reading, SystemClock
from authserver.protocol.claims import AccessTokenClaims
from authserver.protocol.limits import FEED_STALENESS
from authserver.protocol.revocation_feed import InvalidFeedError
from authserver.protocol.secret import Secret
from authserver.verifier.feed_reader import TIMEOUT, Exchange, FeedReader, FeedSource, ask_feed
from authserver.verifier.fetch import FetchError
from authserver.verifier.introspection import Introspector
from authserver.verifier.process_lock import ProcessLock
from authserver.verifier.revocations import Revoked

POLL_INTERVAL: Final = 0.5
"""Seconds from one poll to the next, less a random part of up to a fifth, so that readers do not poll together."""
LONGEST_PAUSE: Final = 5.0
"""The longest pause in seconds between two failed polls."""
MAXIMUM_STALENESS: Final = FEED_STALENESS.total_seconds()
PATIENCE: Final = 3.0
"""Seconds, from the first check on, for which checks wait for an answer of the feed."""

WhenStale = Literal["refuse", "accept", "introspect"]

_UNAVAILABLE = Revoked("revocations_unavailable")
_INACTIVE = Revoked("token_revoked")
_log = logging.getLogger("authserver.verifier")


class FeedFollower:
    """Knows the revocations of the feed at `source`. Safe with threads and with processes that fork.

    `introspector` is required, and used, only with `when_stale="introspect"`. Durations are in seconds.
    """

    def __init__(  # noqa: PLR0913 - what may be tuned
        self,
        source: FeedSource,
        *,
        leeway: float,
        poll_interval: float = POLL_INTERVAL,
        maximum_staleness: float = MAXIMUM_STALENESS,
        when_stale: WhenStale = "refuse",
        introspector: Introspector | None = None,
        patience: float = PATIENCE,
        clock: Clock | None = None,
        ask: Exchange = ask_feed,
    ) -> None:
        """Check the settings; the first request is sent at the first check. `ValueError` for impossible settings."""
        if not 0 < poll_interval < maximum_staleness < math.inf:
            raise ValueError("0 < poll_interval < maximum_staleness")
        if when_stale not in {"refuse", "accept", "introspect"}:
            raise ValueError("when_stale is refuse, accept or introspect")
        if (when_stale == "introspect") != (introspector is not None):
            raise ValueError("an introspector goes with when_stale='introspect'")
        self._clock = clock or SystemClock()
        self._reader = FeedReader(source, leeway=leeway, clock=self._clock, ask=ask)
        self._uri = source.uri
        self._poll_interval = poll_interval
        self._maximum_staleness = maximum_staleness
        self._punctual = min(3 * poll_interval, maximum_staleness)  # a poll later than this is followed up
        self._longest_silence = max(maximum_staleness, max(poll_interval, LONGEST_PAUSE) + TIMEOUT)
        self._accepts = when_stale == "accept"
        self._introspector = introspector
        self._patience = patience
        self._polled = NEVER
        self._began = NEVER
        self._failures = 0
        self._beginning = ProcessLock()
        self._thread: threading.Thread | None = None
        self._process = os.getpid()
        self._over = threading.Event()
        self._answered = threading.Event()
        self._closed = threading.Event()

    @property
    def lag(self) -> float:
        """The age of the state in seconds; infinite if nothing is known."""
        return self._reader.fresh_since.age(self._clock)

    def check(self, claims: AccessTokenClaims, kid: str, token: str) -> Revoked | None:
        """Why `token` is refused; None if nothing is known against it."""
        reader = self._reader
        if reader.fresh_since.age(self._clock) > self._punctual:
            return self._check_late(claims, kid, token)
        return reader.state.check(claims, kid)

    def answers_at_once(self) -> bool:
        """Whether `check` would not have to wait now."""
        if self.lag <= self._maximum_staleness:
            return True
        if self._introspector is not None:
            return False
        return self._closed.is_set() or (self._is_following() and self._remaining_patience() <= 0)

    def close(self) -> None:
        """End the thread. The state becomes older from now on."""
        self._closed.set()
        self._over.set()

    def _check_late(self, claims: AccessTokenClaims, kid: str, token: str) -> Revoked | None:
        self._keep_following()
        if self.lag > self._maximum_staleness:
            self._answered.wait(self._remaining_patience())
        lag = self.lag
        known = self._reader.state.check(claims, kid) if lag < math.inf else None
        if known is not None or lag <= self._maximum_staleness:
            return known
        if self._introspector is not None:
            return _introspect(self._introspector, token)
        return None if self._accepts and lag < math.inf else _UNAVAILABLE

    def _keep_following(self) -> None:
        """Start the thread if none polls: at the first check, after a fork, which ends threads, after a freeze."""
        if self._is_following():
            return
        with self._beginning.own:
            if self._closed.is_set() or self._is_following():
                return
            self._over.set()  # ends the replaced thread, if there is one
            self._over, self._answered = threading.Event(), threading.Event()
            self._began = self._polled = Reading.of(self._clock)
            self._process = os.getpid()
            thread = threading.Thread(
                target=_follow,
                args=(weakref.ref(self), self._over, self._answered),
                name="authserver-feed",
                daemon=True,
            )
            try:
                thread.start()
            except RuntimeError as error:  # no more threads possible: the state becomes stale
                _log.warning("revocations of %s are not followed: %s", self._uri, error)
                return
            self._thread = thread
            if self._closed.is_set():  # meanwhile, by another thread
                self._over.set()

    def _is_following(self) -> bool:
        # Compare the process, too: under gevent, a forked child sees its parent's threads as alive, but none runs.
        if self._thread is None or self._process != os.getpid() or not self._thread.is_alive():
            return False
        return self._polled.age(self._clock) <= self._longest_silence

    def _remaining_patience(self) -> float:
        """The seconds to wait now; 0 after an answer."""
        return 0.0 if self._answered.is_set() else max(0.0, self._patience - self._began.age(self._clock))

    def _poll(self) -> float:
        """Poll once; return the seconds to pause afterwards."""
        self._polled = Reading.of(self._clock)
        try:
            self._reader.poll()
        except (FetchError, InvalidFeedError) as error:
            self._failures += 1
            if self._failures == 1:
                _log.warning("revocations of %s not read: %s", self._uri, error)
            longer: float = self._poll_interval * 2 ** min(self._failures - 1, 16)
            return self._jitter(min(LONGEST_PAUSE, longer))
        if self._failures:
            _log.warning("revocations of %s read again, after %d failures", self._uri, self._failures)
            self._failures = 0
        return self._jitter(self._poll_interval)

    def _jitter(self, seconds: float) -> float:
        """Shorten `seconds` by up to a fifth. The microseconds at which an answer arrives are random enough here."""
        return seconds * (1 - self._clock.monotonic() * 1e3 % 1 / 5)


def follow_feed(
    issuer: str, base_url: str, authorization: Secret, *, leeway: float, when_stale: WhenStale, clock: Clock
) -> FeedFollower:
    """Follow the feed of `issuer` at its usual path below `base_url`, which has passed `fetch.check_url`."""
    base = base_url.rstrip("/")
    introspector = None
    if when_stale == "introspect":
        introspector = Introspector(f"{base}/oauth/introspect", authorization, clock=clock)
    source = FeedSource(f"{base}/oauth/revocations", issuer, authorization)
    return FeedFollower(source, leeway=leeway, when_stale=when_stale, introspector=introspector, clock=clock)


def _introspect(introspector: Introspector, token: str) -> Revoked | None:
    try:
        return None if introspector.is_active(token) else _INACTIVE
    except FetchError as error:
        _log.warning("%s", error)
        return _UNAVAILABLE


def _follow(owner: "weakref.ref[FeedFollower]", over: threading.Event, answered: threading.Event) -> None:
    """Poll until `over` is set, or until the owner has been garbage-collected."""
    while not over.is_set():
        follower = owner()
        if follower is None:
            return
        try:
            pause = follower._poll()  # noqa: SLF001 - the other half of the class
        except Exception:  # noqa: BLE001 - a thread that ends in silence would be worse
            _log.exception("revocations not read")
            pause = LONGEST_PAUSE
        if follower.lag <= follower._maximum_staleness:  # noqa: SLF001 - the other half of the class
            answered.set()
        del follower
        over.wait(pause)
