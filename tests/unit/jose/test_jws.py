"""Compact JWS: written, read, checked. What must be refused is in tests/vectors."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authserver.jose.algorithms import ALGORITHMS
from authserver.jose.errors import TokenRejected
from authserver.jose.jws import LONGEST_TOKEN, check_signature, parse_compact
from tests.support.world.tokens import make_pair

ES = make_pair("k", "ES256")


@pytest.mark.parametrize("name", [algorithm.name for algorithm in ALGORITHMS])
def test_what_is_signed_is_read_and_verified(name: str) -> None:
    pair = make_pair("k", name)
    claims = {"sub": "é", "n": 1, "list": ["a"]}
    token = pair.token(claims, typ="x")
    jws = parse_compact(token)
    assert jws.header == {"kid": "k", "typ": "x", "alg": name}
    assert json.loads(jws.payload) == claims
    assert check_signature(jws, {"k": pair.verification_key}.get) == pair.verification_key


def test_the_size_cap_is_exact() -> None:
    token = ES.token({"x": "y" * 4000})
    filled = token + "A" * (LONGEST_TOKEN - len(token))
    with pytest.raises(TokenRejected, match="bad_signature"):
        check_signature(parse_compact(filled), {"k": ES.verification_key}.get)
    with pytest.raises(TokenRejected, match="malformed: not a text, or too long"):
        parse_compact(filled + "A")


@given(st.text(max_size=80) | st.text(alphabet="eyJAQ_-.=", max_size=80) | st.binary(max_size=20) | st.integers())
def test_nothing_but_its_own_error_is_raised(token: object) -> None:
    """RFC 8725 §3.3, with any object in the place of a token."""
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
