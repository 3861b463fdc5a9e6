"""The issuer's public keys at a resource server, fetched when needed and kept as long as that is right.

A reader that has a good set never waits for another's fetch: the set is one immutable value, swapped at the end.
One fetch is in flight at a time. A cool-down follows every attempt, so that neither tokens with random `kid`s nor an
issuer that is down turn into a stream of requests. A failed fetch changes nothing: the last good set serves for
`KEPT_FOR`, then `KeysUnavailableError`. Does NOT learn at once that a key was withdrawn: that takes up to `MAX_AGE`,
or the revocation feed.
"""

import logging
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from authserver.clock import Clock
from authserver.jose.errors import InvalidKeySetError
from authserver.jose.jwk import VerificationKey, read_jwks
from authserver.verifier.fetch import Fetched, FetchError, fetch

MAX_AGE = 300.0
"""Seconds after which a set is fetched anew; a smaller `max-age` of the issuer is honoured, down to `SHORTEST_AGE`."""
SHORTEST_AGE = 1.0
COOL_DOWN = 5.0
"""Seconds between two attempts."""
KEPT_FOR = 24 * 3600.0
"""Seconds for which the last good set serves while the issuer cannot be reached."""
TIMEOUT = 5.0
"""Seconds for one fetch as a whole, and for who waits for the first one."""
LARGEST_SET = 64 * 1024

_log = logging.getLogger("authserver.verifier")


class KeysUnavailableError(Exception):
    """There is no set of keys young enough to decide with."""


class Keys(Protocol):
    """Has the issuer's public keys."""

    def find_key(self, kid: str) -> VerificationKey | None:
        """The key `kid`, or None if the issuer does not publish it; `KeysUnavailableError` if that cannot be said."""
        ...

    def is_fresh(self, kid: str) -> bool:
        """Whether `find_key` would answer from memory, and with a key."""
        ...


@dataclass(frozen=True, slots=True)
class _KeySet:
    keys: Mapping[str, VerificationKey]
    fresh_until: float
    usable_until: float


_NONE_YET = _KeySet({}, fresh_until=float("-inf"), usable_until=float("-inf"))


def fetch_jwks(uri: str) -> Fetched:
    """The document at `uri` within `TIMEOUT` and `LARGEST_SET`."""
    return fetch(uri, timeout=TIMEOUT, largest=LARGEST_SET)


def _read_usable(body: bytes) -> dict[str, VerificationKey]:
    keys = read_jwks(body)
    if not keys:  # an empty set would refuse every token, an earlier one refuses none too many
        raise InvalidKeySetError("no usable key in it")
    return keys


class JwksClient:
    """The keys at `uri`, which has passed `fetch.check_url`. Safe for threads, and for processes that fork."""

    def __init__(self, uri: str, *, clock: Clock, fetch: Callable[[str], Fetched] = fetch_jwks) -> None:
        """Remember `uri`; nothing is fetched before the first question."""
        self._uri = uri
        self._clock = clock
        self._fetch = fetch
        self._set = _NONE_YET
        self._next_attempt_at = float("-inf")
        self._in_flight = threading.Lock()
        self._process = os.getpid()

    def find_key(self, kid: str) -> VerificationKey | None:
        """See `Keys.find_key`."""
        now = self._clock.monotonic()
        current = self._set
        key = current.keys.get(kid)
        if key is not None and now < current.fresh_until:
            return key
        if now >= self._next_attempt_at:
            self._refresh(wait=now >= current.usable_until)
            current = self._set
        if self._clock.monotonic() >= current.usable_until:
            raise KeysUnavailableError("no usable set of keys")
        return current.keys.get(kid)

    def is_fresh(self, kid: str) -> bool:
        """See `Keys.is_fresh`."""
        current = self._set
        return self._clock.monotonic() < current.fresh_until and kid in current.keys

    def _refresh(self, *, wait: bool) -> None:
        in_flight = self._lock_of_this_process()
        if not in_flight.acquire(blocking=wait, timeout=TIMEOUT if wait else -1):
            return
        try:
            if self._clock.monotonic() >= self._next_attempt_at:  # else another thread has just tried
                self._attempt()
        finally:
            in_flight.release()

    def _attempt(self) -> None:
        started_at = self._clock.monotonic()
        pause = COOL_DOWN
        try:
            fetched = self._fetch(self._uri)
            keys = _read_usable(fetched.body)
            age = MAX_AGE if fetched.fresh_for is None else min(MAX_AGE, max(SHORTEST_AGE, fetched.fresh_for))
            self._set = _KeySet(keys, fresh_until=started_at + age, usable_until=started_at + KEPT_FOR)
            pause = min(COOL_DOWN, age)  # else a short max-age could not be kept
        except (FetchError, InvalidKeySetError) as error:
            _log.warning("keys of %s not refreshed: %s", self._uri, error)
        finally:
            self._next_attempt_at = self._clock.monotonic() + pause

    def _lock_of_this_process(self) -> threading.Lock:
        """A fork copies the lock as it is: held, if a thread of the parent was fetching, and nobody here to free it."""
        process = os.getpid()
        if process != self._process:
            self._in_flight = threading.Lock()
            self._process = process
        return self._in_flight
