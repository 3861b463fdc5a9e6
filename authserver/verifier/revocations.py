"""The interface to revocations. It is asked for every token, even if the signature was checked before."""

import math
from dataclasses import dataclass
from typing import Literal, Protocol

from authserver.protocol.claims import AccessTokenClaims
from authserver.verifier.refusals import RevocationCode


@dataclass(frozen=True, slots=True)
class Revoked:
    """Why a token is refused. `soft_logout` None means the default of `code`.

    `invalid_claim`: the token outlives the window of the feed, so its revocation could be forgotten.
    """

    code: RevocationCode | Literal["invalid_claim"]
    soft_logout: bool | None = None


class Revocations(Protocol):
    """Knows what was revoked. It is asked at every call of `verify`, so it should answer from memory."""

    def check(self, claims: AccessTokenClaims, kid: str, token: str) -> Revoked | None:
        """Why `token`, with these claims and signed by key `kid`, is refused; None if nothing is known against it."""
        ...

    def answers_at_once(self) -> bool:
        """Whether `check` would not have to wait now."""
        ...

    @property
    def lag(self) -> float:
        """The age of its knowledge in seconds; infinite if it knows nothing."""
        ...

    def close(self) -> None:
        """Release threads and connections."""
        ...


class NoFeed:
    """Knows no revocation. A revoked token is accepted until it expires, at most one access-token lifetime."""

    lag = math.inf

    def check(self, claims: AccessTokenClaims, kid: str, token: str) -> Revoked | None:  # noqa: ARG002 - the seam's shape
        """Return None: nothing is known against any token."""
        return None

    def answers_at_once(self) -> bool:
        """Return True: `check` never waits."""
        return True

    def close(self) -> None:
        """Do nothing: there is nothing to release."""
