"""The demands of a route beyond a valid token: scope (RFC 6750 §3.1), recent and strong sign-in (RFC 9470)."""

import re
from dataclasses import dataclass

from authserver.clock import is_recent
from authserver.protocol.claims import AccessTokenClaims, UserToken
from authserver.verifier.refusals import InvalidToken

_QUOTABLE = re.compile(r"[\x20\x21\x23-\x5B\x5D-\x7E]+\Z")  # RFC 6749 §3.3, with spaces between the values


@dataclass(frozen=True, slots=True)
class Demand:
    """`scope`: space-separated, all needed. `max_age`: seconds since sign-in. `acr`: space-separated, one needed."""

    scope: str | None = None
    max_age: int | None = None
    acr: str | None = None

    def __post_init__(self) -> None:
        """Raise `ValueError` for a value that cannot be written in a challenge."""
        for value in (self.scope, self.acr):
            if value is not None and not (_QUOTABLE.match(value) and value.strip()):
                raise ValueError("scope and acr are space-separated values, without quotes")
        if self.max_age is not None and self.max_age < 0:
            raise ValueError("max_age is a number of seconds, not negative")

    def check(self, claims: AccessTokenClaims, *, now: float, leeway: float) -> None:
        """Raise `InvalidToken` unless `claims` meet this demand.

        A token without `auth_time` or `acr`, such as a client's own, never meets a demand on it. An `auth_time` in the
        future does not either.
        Does NOT check the token itself.
        """
        if self.scope is not None and not claims.scopes.issuperset(self.scope.split()):
            raise InvalidToken("insufficient_scope", "scope is missing", demands={"scope": self.scope})
        if self._is_too_old(claims, now, leeway) or self._is_too_weak(claims):
            raise InvalidToken(
                "insufficient_user_authentication", "sign-in too old or too weak", demands=self._step_up()
            )

    def _is_too_old(self, claims: AccessTokenClaims, now: float, leeway: float) -> bool:
        if self.max_age is None:
            return False
        auth_time = claims.auth_time if isinstance(claims, UserToken) else None
        return auth_time is None or not is_recent(auth_time, now, self.max_age + leeway)

    def _is_too_weak(self, claims: AccessTokenClaims) -> bool:
        acr = claims.acr if isinstance(claims, UserToken) else None
        return self.acr is not None and acr not in self.acr.split()

    def _step_up(self) -> dict[str, str]:
        demands = {}
        if self.max_age is not None:
            demands["max_age"] = str(self.max_age)
        if self.acr is not None:
            demands["acr_values"] = self.acr
        return demands
