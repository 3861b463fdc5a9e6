"""Compact JWS: written, read, checked. What must be refused is in tests/vectors/attack_tokens.py."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authserver.jose.algorithms import ALGORITHMS
from authserver.jose.errors import TokenRejected
from authserver.jose.jws import LONGEST_TOKEN, check_signature, parse_compact, sign_compact
from tests.support.tokens import make_pair

ES = make_pair("k", "ES256")


@pytest.mark.parametrize("name", [algorithm.name for algorithm in ALGORITHMS])
def test_what_is_signed_is_read_and_verified(name: str) -> None:
    pair = make_pair("k", name)
    claims = {"sub": "é", "n": 1, "list": ["a"]}
    token = sign_compact({"kid": "k", "typ": "x"}, claims, algorithm=pair.algorithm, private_key=pair.private_key)
    jws = parse_compact(token)
    assert jws.header == {"kid": "k", "typ": "x", "alg": name}
    assert json.loads(jws.payload) == claims
    assert check_signature(jws, {"k": pair.verification_key}.get) == pair.verification_key


def test_the_header_cannot_name_another_algorithm_than_the_one_that_signs() -> None:
    token = sign_compact({"kid": "k", "alg": "none"}, {}, algorithm=ES.algorithm, private_key=ES.private_key)
    assert parse_compact(token).header["alg"] == "ES256"


def test_claims_that_are_not_json_are_never_signed() -> None:
    with pytest.raises(ValueError, match="JSON"):
        sign_compact({}, {"exp": math.nan}, algorithm=ES.algorithm, private_key=ES.private_key)


def test_the_size_cap_is_exact() -> None:
    token = sign_compact({"kid": "k"}, {"x": "y" * 4000}, algorithm=ES.algorithm, private_key=ES.private_key)
    filled = token + "A" * (LONGEST_TOKEN - len(token))
    with pytest.raises(TokenRejected, match="bad_signature"):
        check_signature(parse_compact(filled), {"k": ES.verification_key}.get)
    with pytest.raises(TokenRejected, match="malformed: not a text, or too long"):
        parse_compact(filled + "A")


@given(st.text(max_size=80) | st.text(alphabet="eyJAQ_-.=", max_size=80) | st.binary(max_size=20) | st.integers())
def test_nothing_but_its_own_error_is_raised(token: object) -> None:
    """RFC 8725 3.3, with any object in the place of a token."""
    with pytest.raises(TokenRejected) as rejected:
        check_signature(parse_compact(token), {"k": ES.verification_key}.get)
    assert rejected.value.code in {"malformed", "unsupported_algorithm", "unknown_key", "bad_signature"}


def test_an_error_does_not_repeat_the_token() -> None:
    """A log of refusals must hold nothing that could be shown to a server."""
    token = ES.token({"sub": "user-1"}, kid="unknown-kid")
    with pytest.raises(TokenRejected) as rejected:
        check_signature(parse_compact(token), {"k": ES.verification_key}.get)
    assert str(rejected.value) == "unknown_key: kid names no key"
    assert rejected.value.__cause__ is None
