"""Logout tokens as Back-Channel Logout §2.4 has them, which pass for no other token."""

import json
from collections.abc import Callable

import jwt
import pytest

from authserver.jose.access_token import check_access_token
from authserver.jose.errors import TokenRejected
from authserver.jose.id_token import read_id_token_hint
from authserver.jose.jws import parse_compact
from authserver.keyring.issuer import issue_logout_token
from authserver.keyring.key_set import KeySet
from authserver.keyring.keyring import Keyring, build_keyring
from authserver.keyring.keys import StoredKey
from authserver.keyring.sealing import MasterKeys
from authserver.protocol.claims import LogoutTokenClaims
from tests.support.world.clock import START

ISSUED_AT = int(START.timestamp())
ISSUER = "https://auth.example"
CLAIMS = LogoutTokenClaims(iss=ISSUER, sub="u1", aud="c1", iat=ISSUED_AT, exp=ISSUED_AT + 120, jti="j1", sid="s1")


@pytest.fixture(params=["ES256", "EdDSA", "RS256"])
def keyring(request: pytest.FixtureRequest, make_key: Callable[..., StoredKey], masters: MasterKeys) -> Keyring:
    signing, mac = make_key(request.param).activate(START), make_key("MAC").activate(START)
    return build_keyring(KeySet((signing, mac)), masters)


def test_it_says_what_the_specification_wants_and_no_more(keyring: Keyring) -> None:
    """Back-Channel Logout §2.4: one event, and no `nonce`."""
    key = keyring.signing_key
    token = issue_logout_token(key, CLAIMS)
    jws = parse_compact(token)
    assert dict(jws.header) == {"alg": key.algorithm.name, "kid": key.kid, "typ": "logout+jwt"}
    said = json.loads(jws.payload)
    assert said == {
        "iss": ISSUER,
        "sub": "u1",
        "aud": "c1",
        "iat": ISSUED_AT,
        "exp": ISSUED_AT + 120,
        "jti": "j1",
        "sid": "s1",
        "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
    }
    public = jwt.PyJWKSet.from_json(keyring.jwks.decode())[key.kid]
    assert jwt.decode(token, public, audience="c1", options={"verify_exp": False}) == said


def test_it_passes_for_no_other_token(keyring: Keyring) -> None:
    """Back-Channel Logout §4.1: neither as a hint, which would sign somebody out, nor at a resource server."""
    token, find_key = issue_logout_token(keyring.signing_key, CLAIMS), keyring.find_verification_key
    with pytest.raises(TokenRejected) as refused:
        read_id_token_hint(token, find_key=find_key, issuer=ISSUER)
    assert refused.value.code == "wrong_type"
    with pytest.raises(TokenRejected) as refused:
        check_access_token(
            token, find_key=find_key, issuer=ISSUER, audience="c1", now=ISSUED_AT, leeway=0, longest_lifetime=300
        )
    assert refused.value.code == "wrong_type"
