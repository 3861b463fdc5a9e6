"""Whether who shows a bound token holds its key: the proof of the request, its nonce, its single use (RFC 9449)."""

from functools import partial
from typing import Final

from authserver.clock import Clock
from authserver.jose.dpop_proof import PROOF_LEEWAY, read_proof
from authserver.jose.errors import ProofRejected
from authserver.protocol.claims import AccessTokenClaims
from authserver.protocol.dpop_nonce import read_nonce, write_nonce
from authserver.protocol.dpop_request import DpopRequest
from authserver.verifier.refusals import InvalidToken
from authserver.verifier.used_proofs import UsedProofs

_SHORTEST_KEY: Final = 32
_NONCE_KID: Final = "00000000"


class Possession:
    """Checks proofs; one for a process.

    Args:
        clock: the source of time.
        nonce_key: demands a nonce in each proof: at least 32 random bytes, the same in all processes of this resource
            server. None demands none, and gives none away (§11.3).

    Raises:
        ValueError: the key is too short.
    """

    def __init__(self, clock: Clock, nonce_key: bytes | None) -> None:
        """Check the key."""
        if nonce_key is not None and len(nonce_key) < _SHORTEST_KEY:
            raise ValueError(f"dpop_nonce_key has at least {_SHORTEST_KEY} bytes")
        self._clock = clock
        self._nonce_key = nonce_key
        self._used = UsedProofs()

    def check(self, token: str, claims: AccessTokenClaims, request: DpopRequest | None) -> None:
        """Raise `InvalidToken` unless `token`, with these claims, is shown as it has to be: bound with its proof."""
        if request is None:
            if claims.jkt is not None:
                raise InvalidToken("wrong_binding", "a bound token, shown as a bearer token", scheme="DPoP")
            return
        now = self._clock.seconds()
        find_nonce_time = None if self._nonce_key is None else partial(self._find_nonce_time, self._nonce_key, now)
        try:
            proof = read_proof(request, now=now, access_token=token, find_nonce_time=find_nonce_time)
        except ProofRejected as rejected:
            nonce = self._write_nonce(now) if rejected.code == "use_dpop_nonce" else None
            raise InvalidToken(rejected.code, rejected.reason, dpop_nonce=nonce) from None
        if proof.jkt != claims.jkt:
            raise InvalidToken("wrong_binding", "not bound to the key of the proof")
        if not self._used.use(proof.digest, proof.expires_at, now):
            raise InvalidToken("invalid_dpop_proof", "the proof was used before")

    def _write_nonce(self, now: float) -> str | None:
        return None if self._nonce_key is None else write_nonce(now, _NONCE_KID, self._nonce_key)

    @staticmethod
    def _find_nonce_time(key: bytes, now: float, text: str) -> int | None:
        return read_nonce(text, now, PROOF_LEEWAY, {_NONCE_KID: key}.get)
