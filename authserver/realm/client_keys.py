"""The public keys with which clients sign their assertions: from the client's record, or from its `jwks_uri`.

A set that was fetched is used for `MAX_AGE`, and is fetched again earlier when a client shows a `kid` that is not in
it. So a client can sign with a new key as soon as it publishes it; a key that it withdraws is refused after `MAX_AGE`,
and after an empty set all are. A cool-down follows every attempt, so neither made-up `kid`s nor a host that is down
cause a stream of calls. A failed attempt changes nothing: the last good set is used for `KEPT_FOR`. At most `MOST_SETS`
sets are in memory.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from typing import Final, final

import structlog

from authserver.clock import NEVER, Clock, Reading
from authserver.jose.algorithms import SigningAlgorithm, find_client_algorithm
from authserver.jose.errors import InvalidKeySetError
from authserver.jose.jwk import VerificationKey, read_jwks
from authserver.outbound import Outbound, OutboundError
from authserver.protocol.limits import JWKS_MAX_AGE
from authserver.records.client import Client

MAX_AGE: Final = JWKS_MAX_AGE.total_seconds()
"""Seconds for which a set is used before it is fetched again."""
COOL_DOWN: Final = 5.0
"""Seconds between two attempts for one URL."""
KEPT_FOR: Final = 24 * 3600.0
"""Seconds for which the last good set is used while its host cannot be reached."""
LARGEST_SET: Final = 64 * 1024
MOST_SETS: Final = 1000
MOST_WAITING: Final = 4
"""Requests of one process that wait for a fetch of another request. Others are told to try again: who knows the name of
a client whose host is slow could occupy all threads otherwise."""
_PATIENCE: Final = 6.0
"""Seconds to wait for that fetch, which takes five at most."""

Keys = Mapping[str, VerificationKey]
_log = structlog.get_logger(__name__)


class ClientKeysUnavailableError(Exception):
    """The keys of the client are not known now: its URL gives no usable answer, or is just being fetched."""


@final
class ClientKeys:
    """Finds the keys of clients; safe to share between threads."""

    def __init__(self, outbound: Outbound, clock: Clock) -> None:
        """Fetch through `outbound`, when a key is needed."""
        self._outbound = outbound
        self._clock = clock
        self._waiting = threading.BoundedSemaphore(MOST_WAITING)
        self._fetched: dict[str, _FetchedKeys] = {}

    def find(self, client: Client, kid: str | None, algorithm: SigningAlgorithm) -> VerificationKey | None:
        """The client's key `kid`; without a `kid`, its only key for `algorithm`. None if there is none.

        Raises:
            ClientKeysUnavailableError: no set of the client's `jwks_uri` is recent enough to decide.
        """
        if client.jwks is not None:
            return _select(_read_inline(client.jwks), kid, algorithm)
        if client.jwks_uri is None:
            return None
        return self._find_fetched(client.jwks_uri).find(kid, algorithm)

    def _find_fetched(self, uri: str) -> "_FetchedKeys":
        fetched = self._fetched.get(uri)
        if fetched is None:
            while len(self._fetched) >= MOST_SETS:
                self._fetched.pop(next(iter(self._fetched), ""), None)
            fetched = self._fetched.setdefault(uri, _FetchedKeys(uri, self._outbound, self._clock, self._waiting))
        return fetched


@dataclass(frozen=True, slots=True)
class _KeySet:
    keys: Keys
    asked: Reading


class _FetchedKeys:
    """The keys at one URL."""

    def __init__(self, uri: str, outbound: Outbound, clock: Clock, waiting: threading.BoundedSemaphore) -> None:
        self._uri = uri
        self._outbound = outbound
        self._clock = clock
        self._waiting = waiting
        self._set = _KeySet({}, NEVER)
        self._attempted = NEVER
        self._fetching = threading.Lock()

    def find(self, kid: str | None, algorithm: SigningAlgorithm) -> VerificationKey | None:
        is_known = _select(self._set.keys, kid, algorithm) is not None and self._is_usable()
        if not is_known or self._set.asked.age(self._clock) >= MAX_AGE:
            is_known = self._refresh(wait=not is_known) or is_known
        if not is_known or not self._is_usable():
            raise ClientKeysUnavailableError(f"no usable keys from {self._uri}")
        return _select(self._set.keys, kid, algorithm)

    def _is_usable(self) -> bool:
        return self._set.asked.age(self._clock) < KEPT_FOR

    def _refresh(self, *, wait: bool) -> bool:
        """Fetch the set, or with `wait` let another thread fetch it; False if another thread is still at it."""
        if not self._fetching.acquire(blocking=False) and not (wait and self._wait()):
            return False
        try:
            if self._attempted.age(self._clock) >= COOL_DOWN:
                self._attempt()
        finally:
            self._fetching.release()
        return True

    def _wait(self) -> bool:
        """Take the turn after the thread that fetches; False if too many wait for one, or it takes too long."""
        if not self._waiting.acquire(blocking=False):
            return False
        try:
            return self._fetching.acquire(timeout=_PATIENCE)
        finally:
            self._waiting.release()

    def _attempt(self) -> None:
        asked = Reading.of(self._clock)
        try:
            self._set = _KeySet(self._fetch(), asked)
        except (OutboundError, InvalidKeySetError) as error:
            _log.warning("client_keys_not_fetched", uri=self._uri, reason=str(error))
        finally:
            self._attempted = Reading.of(self._clock)

    def _fetch(self) -> Keys:
        answer = self._outbound.get(self._uri, accept="application/jwk-set+json, application/json", limit=LARGEST_SET)
        if answer.status != HTTPStatus.OK:
            raise OutboundError(f"status {answer.status}")
        return read_jwks(answer.body, find_client_algorithm)


@lru_cache(maxsize=256)
def _read_inline(jwks: str) -> Keys:
    return read_jwks(jwks.encode(), find_client_algorithm)


def _select(keys: Keys, kid: str | None, algorithm: SigningAlgorithm) -> VerificationKey | None:
    if kid is not None:
        return keys.get(kid)
    fitting = [key for key in keys.values() if key.algorithm == algorithm]
    return fitting[0] if len(fitting) == 1 else None
