"""Client assertions: what a good one gives. The bad ones, at every check: tests/http/test_client_assertions.py."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authserver.jose.client_assertion import (
    LEEWAY,
    ClientAssertion,
    check_client_assertion,
    open_client_assertion,
)
from authserver.jose.client_jwks import MOST_KEYS, find_jwks_fault
from authserver.jose.errors import TokenRejected
from authserver.protocol import base64url
from tests.support.people.machine import KeyedClient, make_client_pair
from tests.support.world.rsa_keys import rsa_key
from tests.support.world.tokens import ISSUER, NOW, encode, jwks

CLIENT = KeyedClient("machine-1", make_client_pair("k", "EdDSA"), NOW)


def check(assertion: object) -> ClientAssertion:
    unproven = open_client_assertion(assertion)
    key = CLIENT.pair.verification_key
    return check_client_assertion(
        unproven, find_key=lambda kid, _: key if kid == "k" else None, audiences=frozenset({ISSUER}), now=NOW
    )


def test_it_names_its_client_and_says_until_when_its_use_is_remembered() -> None:
    """The leeway counts: it is accepted for as long after its `exp`."""
    proven = check(CLIENT.assertion(jti="once", exp=NOW + 60))
    assert proven == ClientAssertion("machine-1", "once", NOW + 60 + LEEWAY)


def test_nothing_of_it_is_printed() -> None:
    """Until it is used, it is as good as a secret."""
    assertion = CLIENT.assertion(jti="once")
    printed = repr(open_client_assertion(assertion))
    assert "once" not in printed
    assert "machine-1" in printed


@given(
    st.dictionaries(
        st.sampled_from(["iss", "sub", "aud", "exp", "iat", "nbf", "jti"]),
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.lists(st.text()),
        min_size=1,
    )
)
def test_nothing_but_its_own_error_is_raised_for_any_well_signed_claims(changes: dict[str, object]) -> None:
    try:
        proven = check(CLIENT.assertion(**changes))
    except TokenRejected:
        return
    assert proven.jti
    assert proven.expires_at > NOW


def test_a_set_of_good_keys_can_be_registered() -> None:
    pairs = [make_client_pair(name, name) for name in ("ES256", "EdDSA", "RS256", "PS256")]
    assert find_jwks_fault(jwks(*pairs).decode()) is None


PUBLIC = {"kty": "OKP", "crv": "Ed25519", "x": "1nCn7pU9fWSmOVID0qFSsaze2Jyz0QmZycFTa-BMR5k"}


@pytest.mark.parametrize(
    ("entries", "fault"),
    [
        ([], "1 to"),
        ([{**PUBLIC, "kid": str(number)} for number in range(MOST_KEYS + 1)], "1 to"),
        ([{**PUBLIC, "kid": "a", "d": "AA"}], "number 1: private"),
        ([{**PUBLIC, "kid": "a"}, {"kty": "oct", "kid": "b", "k": "c2VjcmV0"}], "number 2: private or symmetric"),
        ([PUBLIC], "number 1: kid"),
        ([{**PUBLIC, "kid": "a"}] * 2, "two keys with one kid"),
        ([{**PUBLIC, "kid": "a", "use": "enc"}], "use is not sig"),
        ([{**PUBLIC, "kid": "a", "alg": "ES256"}], "not a key for ES256"),
        ([{**PUBLIC, "kid": "a", "crv": "Ed448"}], "crv is not supported"),
        (["key"], "not an object"),
    ],
)
def test_a_set_that_cannot_be_used_is_refused_with_its_fault(entries: list[object], fault: str) -> None:
    """An operator can mend it. A private key above all must not be stored as if it were public."""
    assert fault in (find_jwks_fault(encode({"keys": entries}).decode()) or "")


def test_a_weak_rsa_key_is_refused() -> None:
    """ASVS 11.2.3."""
    modulus = rsa_key(2048).public_key().public_numbers().n
    entry = {"kty": "RSA", "alg": "PS256", "kid": "a", "e": "AQAB", "n": base64url.encode(modulus.to_bytes(256))}
    assert "not a key for PS256" in (find_jwks_fault(encode({"keys": [entry]}).decode()) or "")
    assert "alg" in (find_jwks_fault(encode({"keys": [{**entry, "alg": None}]}).decode()) or "")


@pytest.mark.parametrize(
    "text", ["", "x", "[]", '{"keys":{}}', '{"keys":[],"keys":[]}', "\u00e4", '{"x":"' + "x" * 16400 + '"}']
)
def test_what_is_no_set_is_refused(text: str) -> None:
    assert find_jwks_fault(text) is not None
