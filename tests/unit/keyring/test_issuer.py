"""Access tokens as the contract writes them, checked by the reader that resource servers use."""

import json
from collections.abc import Callable
from dataclasses import replace

import jwt
import pytest

from authserver.jose.access_token import check_access_token
from authserver.jose.jws import parse_compact
from authserver.keyring.issuer import issue_access_token
from authserver.keyring.key_set import KeySet
from authserver.keyring.keyring import Keyring, build_keyring
from authserver.keyring.keys import StoredKey
from authserver.keyring.sealing import MasterKeys
from authserver.protocol.claims import AccessTokenClaims, ClientToken, UserToken
from tests.support.world.clock import START

ISSUED_AT = int(START.timestamp())
OF_A_USER = UserToken(
    iss="https://auth.example",
    sub="u1",
    aud=("https://auth.example", "https://api.example"),
    exp=ISSUED_AT + 300,
    iat=ISSUED_AT,
    jti="j1",
    client_id="c1",
    scope="openid account",
    sid="s1",
    fam="f1",
    auth_time=ISSUED_AT,
    amr=("pwd",),
    acr="1",
    roles=("admin",),
    token_version=3,
    jkt="w7JAoU_gJbZJvV-zCOvU9yFJq0FNC_edCMRM78P8eQQ",
)
OF_A_CLIENT = ClientToken(
    iss="https://auth.example",
    sub="c1",
    aud=("https://api.example",),
    exp=ISSUED_AT + 300,
    iat=ISSUED_AT,
    jti="j1",
    client_id="c1",
    scope="",
)


@pytest.fixture(params=["ES256", "EdDSA", "RS256"])
def keyring(request: pytest.FixtureRequest, make_key: Callable[..., StoredKey], masters: MasterKeys) -> Keyring:
    signing, mac = make_key(request.param).activate(START), make_key("MAC").activate(START)
    return build_keyring(KeySet((signing, mac)), masters)


def read_payload(token: str) -> dict[str, object]:
    payload: dict[str, object] = json.loads(parse_compact(token).payload)
    return payload


@pytest.mark.parametrize("claims", [OF_A_USER, OF_A_CLIENT])
def test_what_is_issued_is_what_the_verifier_reads(keyring: Keyring, claims: AccessTokenClaims) -> None:
    read = check_access_token(
        issue_access_token(keyring.signing_key, claims),
        find_key=keyring.find_verification_key,
        issuer=claims.iss,
        audience="https://api.example",
        now=ISSUED_AT,
        leeway=0,
        longest_lifetime=300,
    )
    assert read == claims


def test_another_library_reads_it_too(keyring: Keyring) -> None:
    key = jwt.PyJWKSet.from_json(keyring.jwks.decode())[keyring.signing_key.kid]
    token = issue_access_token(keyring.signing_key, OF_A_USER)
    claims = jwt.decode(token, key, audience="https://api.example", options={"verify_exp": False})
    assert claims == read_payload(token)


def test_the_header_has_three_members(keyring: Keyring) -> None:
    """RFC 9068 §2.1."""
    header = parse_compact(issue_access_token(keyring.signing_key, OF_A_USER)).header
    key = keyring.signing_key
    assert dict(header) == {"alg": key.algorithm.name, "kid": key.kid, "typ": "at+jwt"}


def test_claims_that_say_nothing_are_left_out(keyring: Keyring) -> None:
    payload = read_payload(issue_access_token(keyring.signing_key, OF_A_CLIENT))
    assert set(payload) == {"iss", "sub", "aud", "exp", "iat", "jti", "client_id", "scope"}


def test_the_audience_is_a_string_for_one_and_an_array_for_more(keyring: Keyring) -> None:
    one, two = (read_payload(issue_access_token(keyring.signing_key, claims)) for claims in (OF_A_CLIENT, OF_A_USER))
    assert one["aud"] == "https://api.example"
    assert two["aud"] == ["https://auth.example", "https://api.example"]


def test_the_claims_of_a_user_have_the_shapes_of_the_contract(keyring: Keyring) -> None:
    payload = read_payload(issue_access_token(keyring.signing_key, OF_A_USER))
    assert payload["roles"] == ["admin"]
    assert payload["amr"] == ["pwd"]
    assert payload["cnf"] == {"jkt": OF_A_USER.jkt}
    assert payload["token_version"] == 3


def test_text_outside_ascii_survives(keyring: Keyring) -> None:
    claims = replace(OF_A_USER, sub="Jürgen \U0001f511", sid='"\\\u2028')
    payload = read_payload(issue_access_token(keyring.signing_key, claims))
    assert (payload["sub"], payload["sid"]) == (claims.sub, claims.sid)
