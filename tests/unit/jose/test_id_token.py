"""ID tokens that come back as hints."""

import pytest

from authserver.jose.errors import TokenRejected
from authserver.jose.id_token import IdTokenHint, read_id_token_hint
from tests.support.world.tokens import ABSENT, ISSUER, NOW, Members, make_pair

PAIR = make_pair("k", "EdDSA")
STRANGER = make_pair("k", "EdDSA")
KEYS = {"k": PAIR.verification_key}


def id_claims(**changes: object) -> Members:
    """What a good ID token says, changed by `changes`."""
    return {
        "iss": ISSUER,
        "sub": "user-1",
        "aud": "app",
        "azp": "app",
        "exp": NOW + 300,
        "iat": NOW,
        "auth_time": NOW,
        "sid": "session-1",
        **changes,
    }


def read(token: object) -> IdTokenHint:
    return read_id_token_hint(token, find_key=KEYS.get, issuer=ISSUER)


def code_of(token: object) -> str:
    with pytest.raises(TokenRejected) as rejected:
        read(token)
    return rejected.value.code


@pytest.mark.parametrize("typ", ["JWT", "jwt", ABSENT])
def test_a_hint_names_user_client_and_session(typ: object) -> None:
    assert read(PAIR.token(id_claims(), typ=typ)) == IdTokenHint("user-1", "app", "session-1")


def test_an_old_hint_is_as_good_as_a_new_one() -> None:
    """OpenID Connect RP-Initiated Logout §2: an expired ID token should be accepted."""
    assert read(PAIR.token(id_claims(exp=1, iat=0), typ="JWT")).sid == "session-1"


@pytest.mark.parametrize("typ", ["at+jwt", "application/at+jwt", "logout+jwt", "", None, 1, ["JWT"]])
def test_no_token_of_another_type_is_a_hint(typ: object) -> None:
    """ASVS 9.2.2; RFC 8725 §3.11: an access token is not an ID token."""
    assert code_of(PAIR.token(id_claims(), typ=typ)) == "wrong_type"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"iss": "https://evil.example"}, "wrong_issuer"),
        ({"iss": ISSUER + "/"}, "wrong_issuer"),
        ({"iss": ABSENT}, "missing_claim"),
        ({"sub": ABSENT}, "missing_claim"),
        ({"sub": ""}, "invalid_claim"),
        ({"sub": 1}, "invalid_claim"),
        ({"aud": ["app"]}, "invalid_claim"),
        ({"aud": ABSENT}, "missing_claim"),
        ({"sid": None}, "invalid_claim"),
        ({"sid": ABSENT}, "missing_claim"),
        ({"exp": b"NaN"}, "malformed"),
    ],
)
def test_a_hint_that_leaves_something_open_is_none(changes: Members, code: str) -> None:
    assert code_of(PAIR.token(id_claims(**changes), typ="JWT")) == code


def test_only_our_signature_makes_a_hint() -> None:
    """ASVS 9.1.1."""
    assert code_of(STRANGER.token(id_claims(), typ="JWT")) == "bad_signature"
    assert code_of(PAIR.token(id_claims(), typ="JWT", kid="other")) == "unknown_key"
    assert code_of(PAIR.token(id_claims(), typ="JWT", alg="none")) == "unsupported_algorithm"
    unsigned = PAIR.token(id_claims(), typ="JWT").rpartition(".")[0] + "."
    for text in (unsigned, "", "x", None, 7, "a.b.c"):
        assert code_of(text) == "malformed"
