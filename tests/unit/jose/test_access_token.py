"""Access tokens: what a good one gives, and in which order a bad one fails. The bad ones themselves: tests/vectors."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authserver.jose.access_token import Expectation, check_access_token, read_access_token
from authserver.jose.errors import TokenRejected
from authserver.protocol.claims import AccessTokenClaims, ClientToken, UserToken
from tests.support.world.tokens import ABSENT, AUDIENCE, ISSUER, NOW, client_claims, make_pair, user_claims

PAIR = make_pair("k", "EdDSA")
STRANGER = make_pair("k", "EdDSA")
KEYS = {"k": PAIR.verification_key}
EXPECTATION = Expectation(ISSUER, frozenset({AUDIENCE}), leeway=30, expiry_leeway=30, longest_lifetime=3600)


def check(token: object) -> AccessTokenClaims:
    return read_access_token(token, EXPECTATION, find_key=KEYS.get, now=NOW).claims


def code_of(token: object) -> str:
    with pytest.raises(TokenRejected) as rejected:
        check(token)
    return rejected.value.code


def test_a_token_of_a_user_gives_all_its_claims() -> None:
    """RFC 9068 §2.2, §4."""
    assert check(PAIR.token(user_claims(aud=["x", AUDIENCE], cnf={"jkt": "A" * 43}))) == UserToken(
        iss=ISSUER,
        sub="user-1",
        aud=("x", AUDIENCE),
        exp=NOW + 300,
        iat=NOW,
        jti="token-1",
        client_id="first-party",
        scope="openid read",
        sid="session-1",
        fam="family-1",
        auth_time=NOW - 60,
        amr=("pwd",),
        acr="1",
        roles=("editor",),
        token_version=3,
        jkt="A" * 43,
    )


def test_a_token_of_a_client_has_no_session_family_and_version() -> None:
    claims = check(PAIR.token(client_claims()))
    assert isinstance(claims, ClientToken)
    assert claims.sub == claims.client_id == "machine-1"


def test_optional_claims_may_be_absent() -> None:
    bare = dict.fromkeys(("auth_time", "amr", "acr", "roles"), ABSENT)
    claims = check(PAIR.token(user_claims(**bare)))
    assert isinstance(claims, UserToken)
    assert (claims.auth_time, claims.amr, claims.acr, claims.roles) == (None, (), None, ())


@pytest.mark.parametrize("audience", [AUDIENCE, [AUDIENCE], {"y", AUDIENCE}, ("y", AUDIENCE)])
def test_the_audience_may_be_one_or_several(audience: str | list[str]) -> None:
    """RFC 8725 §3.9; ASVS 9.2.3."""
    token = PAIR.token(user_claims())
    arguments = {"issuer": ISSUER, "now": NOW, "leeway": 30, "longest_lifetime": 3600}
    claims = check_access_token(token, find_key=KEYS.get, audience=audience, **arguments)  # type: ignore[arg-type]
    assert claims.sub == "user-1"


def test_the_kid_that_verified_is_told() -> None:
    """The revocation feed withdraws keys by their kid."""
    assert read_access_token(PAIR.token(user_claims()), EXPECTATION, find_key=KEYS.get, now=NOW).kid == "k"


def test_checks_run_in_the_order_of_the_design() -> None:
    """Design §6: each flaw hides all those behind it. ASVS 9.1.1: nothing is believed before the signature."""
    everything_wrong = user_claims(iss="x", aud="x", exp=1, sub=1, token_version=True)
    header: dict[str, object] = {"typ": "JWT", "alg": "none", "kid": "x"}
    token = STRANGER.token(everything_wrong, **header)
    assert code_of(token + "=") == "malformed"
    assert code_of(token) == "wrong_type"
    header["typ"] = "at+jwt"
    assert code_of(STRANGER.token(everything_wrong, **header)) == "unsupported_algorithm"
    header["alg"] = "EdDSA"
    assert code_of(STRANGER.token(everything_wrong, **header)) == "unknown_key"
    header["kid"] = "k"
    assert code_of(STRANGER.token(everything_wrong, **header)) == "bad_signature"
    assert code_of(PAIR.token(everything_wrong)) == "wrong_issuer"
    assert code_of(PAIR.token({**everything_wrong, "iss": ISSUER})) == "wrong_audience"
    assert code_of(PAIR.token({**everything_wrong, "iss": ISSUER, "aud": AUDIENCE})) == "expired"
    assert code_of(PAIR.token(user_claims(sub=1))) == "invalid_claim"


@given(
    st.dictionaries(
        st.sampled_from([*user_claims(), "nbf", "cnf"]),
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False)
        | st.text()
        | st.lists(st.text() | st.none()),
        min_size=1,
    )
)
def test_nothing_but_its_own_error_is_raised_for_any_well_signed_claims(changes: dict[str, object]) -> None:
    try:
        claims = check(PAIR.token(user_claims(**changes)))
    except TokenRejected:
        return
    assert isinstance(claims, UserToken)
    assert type(claims.token_version) is int
    assert claims.token_version >= 1
    assert type(claims.exp) is type(claims.iat) is int
