"""Checks at this server's own doors that who asks holds a key (DPoP, RFC 9449), and that each proof is used once.

`prove_key` reads the proof of a request. `use_proof` comes last before the act: it writes a row, so nobody gets that
far with a made-up token.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from authserver.jose.dpop_proof import PROOF_LEEWAY, read_proof
from authserver.jose.errors import ProofRejected
from authserver.protocol.dpop_nonce import read_nonce, write_nonce
from authserver.protocol.dpop_request import DpopRequest
from authserver.protocol.oauth_error import OAuthError
from authserver.realm.outcomes import Refused
from authserver.realm.realm import Realm
from authserver.records.client import Client
from authserver.tokens.proof import find_mac_secret

_MESSAGES: Final = {
    "invalid_dpop_proof": "The DPoP proof is not valid.",
    "use_dpop_nonce": "The DPoP proof needs the nonce of DPoP-Nonce.",
}


@dataclass(frozen=True, slots=True)
class ProvenKey:
    """The key that signed the proof of a request, by its thumbprint; the proof waits for `use_proof`."""

    jkt: str
    digest: bytes
    expires_at: datetime


def prove_key(
    realm: Realm, request: DpopRequest, *, client: Client | None = None, access_token: str | None = None
) -> ProvenKey | Refused | None:
    """The key that `request` proves; None where it brings no proof. A refusal has an error code of RFC 9449 §12.2.

    Args:
        realm: the installation.
        request: the request, with its URL as clients know it.
        client: who asks for tokens. One with `dpop_bound_access_tokens` has to bring a proof (§5.2).
        access_token: the token that the proof comes with (`ath`).

    NOT checked: whether the proof was used before (`use_proof`), or whether tokens are bound to the key.
    """
    if request.proof is None:
        demanded = client is not None and client.dpop_bound_access_tokens
        return _refuse(ProofRejected("this client must bring a proof")) if demanded else None
    now = realm.clock.seconds()
    find_nonce_time = None
    if realm.proofs.demand_nonce:

        def find_nonce_time(text: str) -> int | None:
            return read_nonce(text, now, PROOF_LEEWAY, lambda kid: find_mac_secret(realm, kid))

    try:
        proof = read_proof(request, now=now, access_token=access_token, find_nonce_time=find_nonce_time)
    except ProofRejected as rejected:
        return _refuse(rejected)
    return ProvenKey(proof.jkt, proof.digest, datetime.fromtimestamp(proof.expires_at, UTC))


def use_proof(realm: Realm, key: ProvenKey | None) -> Refused | None:
    """Use the proof of `key` up; refused if it was used before, at whatever node (§11.1). One statement."""
    if key is None or realm.proofs.used.use(key.digest, key.expires_at):
        return None
    return _refuse(ProofRejected("the proof was used before"))


def demand_proof(key: ProvenKey | Refused | None) -> ProvenKey | Refused:
    """What `prove_key` came to, where a request has to bring a proof."""
    return _refuse(ProofRejected("no proof")) if key is None else key


def find_refresh_jkt(client: Client, jkt: str | None) -> str | None:
    """The key to which refresh tokens are bound where access tokens are bound to `jkt` (§5).

    Those of a confidential client are bound to its authentication, so that it may change its key.
    """
    return jkt if client.kind.is_public else None


def as_oauth_error(refused: Refused) -> OAuthError:
    """The refusal of a proof at an OAuth endpoint (RFC 9449 §5, §8)."""
    return OAuthError(refused.code, refused.message, refused.reason)


def current_nonce(realm: Realm) -> str | None:
    """The nonce for the client's next proof; None where none is demanded.

    A server that has given a nonce away must not accept proofs without one (§11.3), so no other server gives any.
    """
    if not realm.proofs.demand_nonce:
        return None
    mac_key = realm.keyring.current.mac_key
    return write_nonce(realm.clock.seconds(), mac_key.kid, mac_key.secret)


def _refuse(rejected: ProofRejected) -> Refused:
    return Refused(rejected.code, _MESSAGES[rejected.code], rejected.reason)
