"""Signs access tokens (RFC 9068), ID tokens and logout tokens in memory, the first two on the hot path of refreshes.

All tokens of a key share one header, and all tokens share one encoder. Making both for each token would cost a third of
a signature.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from functools import lru_cache
from types import MappingProxyType

from authserver.jose.algorithms import SigningAlgorithm
from authserver.keyring.keys import SigningKey
from authserver.protocol import base64url
from authserver.protocol.claims import (
    ACCESS_TOKEN_TYPE,
    LOGOUT_EVENT,
    LOGOUT_TOKEN_TYPE,
    AccessTokenClaims,
    IdTokenClaims,
    LogoutTokenClaims,
    UserToken,
)

_NOTHING: Mapping[str, object] = MappingProxyType({})
_encode_json = json.JSONEncoder(separators=(",", ":"), allow_nan=False, check_circular=False).encode


def issue_access_token(key: SigningKey, claims: AccessTokenClaims, more: Mapping[str, object] = _NOTHING) -> str:
    """Sign `claims` and `more` as a compact token. A claim without content is left out (contract §1).

    `key` is the keyring's `signing_key`: resource servers expect one algorithm.
    """
    return _sign(key, ACCESS_TOKEN_TYPE, {**more, **_write_claims(claims)})


def issue_id_token(key: SigningKey, claims: IdTokenClaims, more: Mapping[str, object] = _NOTHING) -> str:
    """Sign `claims` and `more` as a compact ID token.

    Its `typ` keeps it from passing for an access token (RFC 9068 §2.1). `key` is the one that
    `LiveKeyring.load_client_key` gives for the client.
    """
    members = {**more, **{field.name: getattr(claims, field.name) for field in fields(claims)}}
    members["azp"] = claims.aud
    return _sign(key, "JWT", {name: value for name, value in members.items() if value is not None})


def issue_logout_token(key: SigningKey, claims: LogoutTokenClaims) -> str:
    """Sign `claims` as a compact logout token. Its `typ` keeps it from passing for another token (§4.1)."""
    return _sign(key, LOGOUT_TOKEN_TYPE, {**asdict(claims), "events": {LOGOUT_EVENT: {}}})


def hash_access_token(algorithm: SigningAlgorithm, access_token: str) -> str:
    """Compute `at_hash` (OpenID Connect Core §3.1.3.6): the left half of the hash that the algorithm uses."""
    digest = hashlib.new(algorithm.hash_name, access_token.encode("ascii")).digest()
    return base64url.encode(digest[: len(digest) // 2])


def _sign(key: SigningKey, kind: str, members: dict[str, object]) -> str:
    payload = base64url.encode(_encode_json(members).encode())
    signing_input = f"{_encode_header(key.algorithm, key.kid, kind)}.{payload}"
    signature = key.algorithm.sign(key.private_key, signing_input.encode())
    return f"{signing_input}.{base64url.encode(signature)}"


@lru_cache(maxsize=16)
def _encode_header(algorithm: SigningAlgorithm, kid: str, kind: str) -> str:
    header = {"alg": algorithm.name, "typ": kind, "kid": kid}
    return base64url.encode(_encode_json(header).encode())


def _write_claims(claims: AccessTokenClaims) -> dict[str, object]:
    members: dict[str, object] = {
        "iss": claims.iss,
        "sub": claims.sub,
        "aud": claims.aud[0] if len(claims.aud) == 1 else claims.aud,
        "exp": claims.exp,
        "iat": claims.iat,
        "jti": claims.jti,
        "client_id": claims.client_id,
        "scope": claims.scope,
    }
    if isinstance(claims, UserToken):
        members |= {
            "sid": claims.sid,
            "fam": claims.fam,
            "auth_time": claims.auth_time,
            "amr": claims.amr or None,
            "acr": claims.acr,
            "roles": claims.roles or None,
            "token_version": claims.token_version,
        }
    if claims.jkt is not None:
        members["cnf"] = {"jkt": claims.jkt}
    return {name: value for name, value in members.items() if value is not None}
