"""The seam for what was revoked: asked for every token, also for one whose signature was checked before."""

import math
from dataclasses import dataclass
from typing import Literal, Protocol

from authserver.protocol.claims import AccessTokenClaims
from authserver.verifier.refusals import RevocationCode


@dataclass(frozen=True, slots=True)
class Revoked:
    """Why a token is refused. `soft_logout` None means: as usual for `code`.

    `invalid_claim`: it outlives the memory of the feed, so nobody could say that it has not been revoked.
    """

    code: RevocationCode | Literal["invalid_claim"]
    soft_logout: bool | None = None


class Revocations(Protocol):
    """Knows what was revoked. Asked on every call of `verify`, so it answers from memory."""

    def check(self, claims: AccessTokenClaims, kid: str, token: str) -> Revoked | None:
        """Why `token`, with these claims and signed by key `kid`, is refused; None if nothing is known against it."""
        ...

    def answers_at_once(self) -> bool:
        """Whether `check` would not have to wait for anything now."""
        ...

    @property
    def lag(self) -> float:
        """How many seconds old what it knows is; infinite when it knows nothing."""
        ...

    def close(self) -> None:
        """Let go of threads and connections."""
        ...


class NoFeed:
    """Knows nothing: a revoked token then lives until it expires, one access-token lifetime at most."""

    lag = math.inf

    def check(self, claims: AccessTokenClaims, kid: str, token: str) -> Revoked | None:  # noqa: ARG002 - the seam's shape
        """See `Revocations.check`."""
        return None

    def answers_at_once(self) -> bool:
        """See `Revocations.answers_at_once`."""
        return True

    def close(self) -> None:
        """See `Revocations.close`."""
