"""The seam for what was revoked: asked for every token, also for one whose signature was checked before."""

from dataclasses import dataclass
from typing import Protocol

from authserver.protocol.claims import AccessTokenClaims
from authserver.verifier.refusals import RevocationCode


@dataclass(frozen=True, slots=True)
class Revoked:
    """Why a token is refused. `soft_logout` None means: as usual for `code`."""

    code: RevocationCode
    soft_logout: bool | None = None


class Revocations(Protocol):
    """Knows what was revoked. Asked on every call of `verify`, so it answers from memory."""

    def check(self, claims: AccessTokenClaims, kid: str) -> Revoked | None:
        """Why the token with these claims, signed by key `kid`, is refused; None if nothing is known against it."""
        ...

    def close(self) -> None:
        """Let go of threads and connections."""
        ...


class NoFeed:
    """Knows nothing: a revoked token then lives until it expires, one access-token lifetime at most."""

    def check(self, claims: AccessTokenClaims, kid: str) -> Revoked | None:  # noqa: ARG002 - the seam's shape
        """See `Revocations.check`."""
        return None

    def close(self) -> None:
        """See `Revocations.close`."""
