"""Asks the issuer about one token (RFC 7662), for resource servers that choose this while the feed is unreachable.

Authoritative but slow: one request per token, remembered for `KEPT_FOR`. An answer that is neither a clear "active" nor
a clear "not active" is an error, so that no token is accepted, or called revoked, by accident.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode

from authserver.clock import NEVER, Clock, Reading
from authserver.protocol.secret import Secret
from authserver.verifier.cache import digest_token
from authserver.verifier.fetch import Call, Fetched, FetchError, exchange

KEPT_FOR = 1.0
"""Seconds for which an answer is reused, and for which no request is sent after a failure."""
TIMEOUT = 2.0
_LARGEST_ANSWER = 64 * 1024
_CAPACITY = 1_000


def ask_issuer(call: Call) -> Fetched:
    """Send `call`, limited by `TIMEOUT`, and return the answer."""
    return exchange(call, timeout=TIMEOUT, largest=_LARGEST_ANSWER)


@dataclass(frozen=True, slots=True)
class _Said:
    is_active: bool
    at: Reading


class Introspector:
    """Asks the endpoint `uri`, which has passed `fetch.check_url`. Thread-safe: at worst, a request is sent twice."""

    def __init__(
        self, uri: str, authorization: Secret, *, clock: Clock, ask: Callable[[Call], Fetched] = ask_issuer
    ) -> None:
        """Prepare; nothing is requested yet."""
        self._uri = uri
        self._authorization = authorization
        self._clock = clock
        self._ask = ask
        self._said: dict[bytes, _Said] = {}
        self._failed = NEVER

    def is_active(self, token: str) -> bool:
        """Whether `token` is active now; `FetchError` if the issuer gives no clear answer."""
        digest = digest_token(token)
        if digest is None:
            return False
        said = self._said.get(digest)
        if said is not None and said.at.age(self._clock) < KEPT_FOR:
            return said.is_active
        if self._failed.age(self._clock) < KEPT_FOR:
            raise FetchError("no answer a moment ago")
        asked = Reading.of(self._clock)
        is_active = self._ask_about(token)
        if len(self._said) >= _CAPACITY:
            self._said = {}
        self._said[digest] = _Said(is_active, asked)
        return is_active

    def _ask_about(self, token: str) -> bool:
        form = urlencode({"token": token, "token_type_hint": "access_token"}).encode("ascii")
        try:
            fetched = self._ask(Call(self._uri, self._authorization, form=form))
            return _read_answer(fetched.body)
        except (FetchError, ValueError, RecursionError) as error:
            self._failed = Reading.of(self._clock)
            raise FetchError(f"not introspected: {error}") from None


def _read_answer(body: bytes) -> bool:
    """Read `active` (RFC 7662 §2.2); `ValueError` for other bodies, as a proxy's error page or a truncated answer."""
    answer = json.loads(body)
    active = answer.get("active") if isinstance(answer, dict) else None
    if not isinstance(active, bool):
        raise ValueError("active is missing or no boolean")  # noqa: TRY004 - of a document, not of an argument
    return active
