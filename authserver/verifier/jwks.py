"""The issuer's public keys at a resource server, fetched when needed and cached.

A key set is refreshed in the background before it is too old, and a look-up that finds its key never waits. Three kinds
of look-up wait for a fetch: the very first; one of an unknown key; and one after a pause so long that no refresh was
attempted. Other look-ups use the present set meanwhile, which is one immutable value, replaced at the end.
One fetch runs at a time. A cool-down follows every attempt, so that neither tokens with random `kid`s nor an issuer
that is down cause a stream of requests. A failed fetch changes nothing: the last good set is used for `KEPT_FOR`, then
`KeysUnavailableError` is raised. Does NOT learn at once that a key was withdrawn: that takes up to `MAX_AGE`, or the
revocation feed.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from authserver.clock import NEVER, Clock, Reading
from authserver.jose.errors import InvalidKeySetError
from authserver.jose.jwk import VerificationKey, read_jwks
from authserver.protocol.limits import JWKS_MAX_AGE
from authserver.verifier.fetch import Fetched, FetchError, fetch
from authserver.verifier.process_lock import ProcessLock

MAX_AGE = JWKS_MAX_AGE.total_seconds()
"""Seconds after which a set is fetched again; a smaller `max-age` of the issuer is used, down to `SHORTEST_AGE`."""
SHORTEST_AGE = 1.0
REFRESHED_FROM = 0.75
"""The fraction of its maximum age after which a set is refreshed in the background when it is used."""
COOL_DOWN = 5.0
"""Seconds between two attempts."""
KEPT_FOR = 24 * 3600.0
"""Seconds for which the last good set is used while the issuer cannot be reached."""
TIMEOUT = 5.0
"""Seconds for one whole fetch, and for waiting for the first one."""
LARGEST_SET = 64 * 1024

_log = logging.getLogger("authserver.verifier")


class KeysUnavailableError(Exception):
    """There is no key set that is recent enough to decide with."""


class Keys(Protocol):
    """A source of the issuer's public keys."""

    def find_key(self, kid: str) -> VerificationKey | None:
        """The key `kid`, or None if the issuer does not publish it; `KeysUnavailableError` if this is unknown."""
        ...

    def is_fresh(self, kid: str) -> bool:
        """Whether `find_key` would return a key from memory."""
        ...


@dataclass(frozen=True, slots=True)
class _KeySet:
    keys: Mapping[str, VerificationKey]
    asked: Reading
    fresh_for: float

    def is_fresh(self, clock: Clock) -> bool:
        return self.asked.age(clock) < self.fresh_for

    def is_due(self, clock: Clock) -> bool:
        return self.asked.age(clock) >= self.fresh_for * REFRESHED_FROM

    def is_usable(self, clock: Clock) -> bool:
        return self.asked.age(clock) < KEPT_FOR


_NONE_YET = _KeySet({}, asked=NEVER, fresh_for=0)


def fetch_jwks(uri: str) -> Fetched:
    """Get the document at `uri`, limited by `TIMEOUT` and `LARGEST_SET`."""
    return fetch(uri, timeout=TIMEOUT, largest=LARGEST_SET)


def _read_usable(body: bytes) -> dict[str, VerificationKey]:
    keys = read_jwks(body)
    if not keys:  # an empty set would refuse every token; an earlier set refuses no valid one
        raise InvalidKeySetError("no usable key in it")
    return keys


class JwksClient:
    """The keys at `uri`, which has passed `fetch.check_url`. Safe with threads and with processes that fork."""

    def __init__(self, uri: str, *, clock: Clock, fetch: Callable[[str], Fetched] = fetch_jwks) -> None:
        """Keep `uri`; nothing is fetched before the first look-up."""
        self._uri = uri
        self._clock = clock
        self._fetch = fetch
        self._set = _NONE_YET
        self._attempted = NEVER
        self._pause = COOL_DOWN
        self._has_failed = False
        self._in_flight = ProcessLock()

    def find_key(self, kid: str) -> VerificationKey | None:
        """The key `kid`, or None if the issuer does not publish it; `KeysUnavailableError` if this is unknown."""
        current = self._set
        key = current.keys.get(kid)
        if key is not None and self._is_looked_after(current):
            self._refresh_behind(current)
            return key
        if self._has_cooled_down():
            self._refresh(wait=not current.is_usable(self._clock))
            current = self._set
        if not current.is_usable(self._clock):
            raise KeysUnavailableError("no usable set of keys")
        return current.keys.get(kid)

    def is_fresh(self, kid: str) -> bool:
        """Whether `find_key` would return a key from memory."""
        current = self._set
        if not current.is_fresh(self._clock):  # then `find_key` decides whether to wait
            return False
        self._refresh_behind(current)
        return kid in current.keys

    def _is_looked_after(self, current: _KeySet) -> bool:
        """Whether `current` may be used: it is fresh, or usable with a recent attempt to refresh it."""
        if current.is_fresh(self._clock):
            return True
        # Failed attempts are a cool-down apart, even if the issuer states a shorter age.
        of_late = max(current.fresh_for, 2 * COOL_DOWN) if self._has_failed else current.fresh_for
        return current.is_usable(self._clock) and self._attempted.age(self._clock) < of_late

    def _refresh_behind(self, current: _KeySet) -> None:
        """Refresh the set in a thread, if this is due and no other thread does it."""
        if not current.is_due(self._clock) or not self._has_cooled_down():
            return
        in_flight = self._in_flight.own
        if not in_flight.acquire(blocking=False):
            return
        try:
            threading.Thread(
                target=self._attempt_and_release, args=(in_flight,), name="authserver-keys", daemon=True
            ).start()
        except RuntimeError as error:  # no more threads possible: a look-up that finds the set too old fetches it
            in_flight.release()
            _log.warning("keys of %s not refreshed: %s", self._uri, error)

    def _attempt_and_release(self, in_flight: threading.Lock) -> None:
        try:
            if self._has_cooled_down():  # otherwise another thread has just tried
                self._attempt()
        finally:
            in_flight.release()

    def _refresh(self, *, wait: bool) -> None:
        in_flight = self._in_flight.own
        if not in_flight.acquire(blocking=wait, timeout=TIMEOUT if wait else -1):
            return
        self._attempt_and_release(in_flight)

    def _attempt(self) -> None:
        asked = Reading.of(self._clock)
        pause = COOL_DOWN
        try:
            fetched = self._fetch(self._uri)
            keys = _read_usable(fetched.body)
            age = MAX_AGE if fetched.fresh_for is None else min(MAX_AGE, max(SHORTEST_AGE, fetched.fresh_for))
            self._set, self._has_failed = _KeySet(keys, asked, age), False
            pause = min(COOL_DOWN, age * REFRESHED_FROM)  # a full cool-down would break a short max-age
        except (FetchError, InvalidKeySetError) as error:
            self._has_failed = True
            _log.warning("keys of %s not refreshed: %s", self._uri, error)
        finally:
            self._attempted, self._pause = Reading.of(self._clock), pause

    def _has_cooled_down(self) -> bool:
        return self._attempted.age(self._clock) >= self._pause
