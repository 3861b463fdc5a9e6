"""Public keys on the wire."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authserver.jose.algorithms import ALGORITHMS
from authserver.jose.errors import InvalidKeyError, InvalidKeySetError
from authserver.jose.jwk import VerificationKey, read_jwk, read_jwks, write_jwk
from authserver.protocol import base64url
from tests.support.world.rsa_keys import rsa_key
from tests.support.world.tokens import make_pair

PAIRS = {algorithm.name: make_pair(algorithm.name.lower(), algorithm.name) for algorithm in ALGORITHMS}
JWKS = {name: write_jwk(pair.verification_key) for name, pair in PAIRS.items()}
_WEAK = rsa_key(2048).public_key().public_numbers()


SMALL_ORDER = (
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
)
"""All y of points of small order on edwards25519; the last two are 0 and 1 once more, not reduced."""


def integer(value: int) -> str:
    return base64url.encode(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def flip_sign(point: str, sign: int) -> bytes:
    data = bytes.fromhex(point)
    return data[:-1] + bytes([data[-1] | sign])


@pytest.mark.parametrize("name", JWKS)
def test_a_key_survives_being_written_and_read(name: str) -> None:
    key = read_jwk(JWKS[name])
    assert key == PAIRS[name].verification_key
    assert key.public_key == PAIRS[name].private_key.public_key()


@pytest.mark.parametrize("name", JWKS)
def test_only_public_members_are_written(name: str) -> None:
    """ASVS 13.3.1: the JWKS never holds a private part."""
    assert set(JWKS[name]) <= {"kty", "crv", "x", "y", "n", "e", "kid", "use", "alg"}
    assert JWKS[name]["use"] == "sig"


@pytest.mark.parametrize("name", ["ES256", "EdDSA"])
def test_alg_may_be_absent_where_the_key_leaves_one_choice(name: str) -> None:
    jwk = {member: value for member, value in JWKS[name].items() if member not in {"alg", "use"}}
    assert read_jwk(jwk).algorithm.name == name


def test_an_rsa_key_must_say_its_algorithm() -> None:
    """One key, one algorithm (RFC 8725 §3.1): the key itself leaves RS256 and PS256 open."""
    with pytest.raises(InvalidKeyError):
        read_jwk({member: value for member, value in JWKS["RS256"].items() if member != "alg"})


def test_key_ops_with_verify_and_unknown_members_are_accepted() -> None:
    read_jwk({**JWKS["ES256"], "key_ops": ["verify"], "x5u": "https://evil.example", "note": 1})


REFUSED: dict[str, tuple[str, dict[str, Any]]] = {
    **{f"private-{part}": ("ES256", {part: "AA"}) for part in ("d", "p", "q", "dp", "dq", "qi", "oth", "k")},
    "use-enc": ("ES256", {"use": "enc"}),
    "use-null": ("ES256", {"use": None}),
    "key_ops-sign": ("ES256", {"key_ops": ["sign"]}),
    "key_ops-text": ("ES256", {"key_ops": "verify"}),
    "key_ops-null": ("ES256", {"key_ops": None}),
    "kid-empty": ("ES256", {"kid": ""}),
    "kid-number": ("ES256", {"kid": 1}),
    "kid-null": ("ES256", {"kid": None}),
    "kid-long": ("ES256", {"kid": "k" * 257}),
    "alg-none": ("ES256", {"alg": "none"}),
    "alg-hs256": ("ES256", {"alg": "HS256"}),
    "alg-null": ("ES256", {"alg": None}),
    "alg-of-another-kty": ("ES256", {"alg": "RS256"}),
    "alg-of-another-curve": ("ES256", {"alg": "EdDSA"}),
    "alg-ps256": ("RS256", {"alg": "PS256"}),
    "kty-oct": ("ES256", {"kty": "oct"}),
    "kty-rsa": ("ES256", {"kty": "RSA"}),
    "kty-null": ("ES256", {"kty": None}),
    "kty-list": ("ES256", {"kty": ["EC"]}),
    "crv-p-384": ("ES256", {"crv": "P-384"}),
    "crv-ed448": ("EdDSA", {"crv": "Ed448"}),
    "crv-null": ("ES256", {"crv": None}),
    "crv-list": ("ES256", {"crv": ["P-256"]}),
    "point-off-the-curve": ("ES256", {"y": base64url.encode(bytes(31) + b"\1")}),
    "point-zero": ("ES256", {"x": base64url.encode(bytes(32)), "y": base64url.encode(bytes(32))}),
    "point-short": ("ES256", {"x": base64url.encode(bytes(31))}),
    "point-long": ("ES256", {"x": base64url.encode(bytes(33))}),
    "point-number": ("ES256", {"x": 1}),
    "point-padded": ("ES256", {"x": JWKS["ES256"]["x"] + "="}),
    "point-loose": ("ES256", {"x": "A" * 42 + "B"}),
    "ed25519-short": ("EdDSA", {"x": base64url.encode(bytes(31))}),
    "ed25519-null": ("EdDSA", {"x": None}),
    **{
        f"ed25519-small-order-{text[:2]}-{sign:x}": ("EdDSA", {"x": base64url.encode(flip_sign(text, sign))})
        for text in SMALL_ORDER
        for sign in (0, 0x80)
    },
    "rsa-2048": ("RS256", {"n": integer(_WEAK.n)}),
    "rsa-too-large": ("RS256", {"n": integer(2**8200 + 1)}),
    "rsa-far-too-large": ("RS256", {"n": base64url.encode(b"\xff" * 40_000)}),
    "rsa-even-modulus": ("RS256", {"n": integer(2**3072 - 2)}),
    "rsa-empty-modulus": ("RS256", {"n": ""}),
    "rsa-leading-zero": ("RS256", {"n": base64url.encode(b"\0" + base64url.decode(JWKS["RS256"]["n"]))}),
    "rsa-e-1": ("RS256", {"e": integer(1)}),
    "rsa-e-3": ("RS256", {"e": integer(3)}),
    "rsa-e-even": ("RS256", {"e": integer(65538)}),
    "rsa-e-huge": ("RS256", {"e": integer(2**64 + 1)}),
    "rsa-e-zero": ("RS256", {"e": "AA"}),
    "rsa-e-missing": ("RS256", {"e": None}),
}


@pytest.mark.parametrize(("name", "changes"), REFUSED.values(), ids=REFUSED)
def test_a_key_that_must_not_verify_is_refused(name: str, changes: dict[str, Any]) -> None:
    """ASVS 11.6.1, 11.2.3; RFC 8725 §3.3, §3.4."""
    with pytest.raises(InvalidKeyError):
        read_jwk({**JWKS[name], **changes})


@pytest.mark.parametrize("jwk", [None, 1, "x", [], {}, {"kid": "k"}, {"kty": "EC", "kid": "k"}])
def test_something_else_than_a_key_is_refused(jwk: object) -> None:
    with pytest.raises(InvalidKeyError):
        read_jwk(jwk)


def test_a_key_is_never_bound_to_an_algorithm_that_it_does_not_fit() -> None:
    with pytest.raises(InvalidKeyError):
        VerificationKey("k", PAIRS["ES256"].algorithm, PAIRS["EdDSA"].private_key.public_key())


def test_a_set_gives_its_usable_keys_and_leaves_out_the_rest() -> None:
    """RFC 7517 §5. A private part that slipped out takes its own key out of service, and no other."""
    leaked = {**JWKS["EdDSA"], "d": "AA"}
    foreign = {"kty": "oct", "kid": "hmac", "k": "AA"}
    text = json.dumps({"keys": [JWKS["ES256"], leaked, foreign, {"kty": "EC"}, None, JWKS["RS256"]], "x": 1}).encode()
    assert list(read_jwks(text)) == ["es256", "rs256"]


def test_a_set_without_usable_keys_is_empty() -> None:
    assert read_jwks(b'{"keys":[]}') == {}


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"keys":{}}',
        b'{"keys":null}',
        b'{"keys":[],"keys":[]}',
        b'{"keys":[{"kid":"a"},{"kid":"a"}]}',
        json.dumps({"keys": [JWKS["ES256"], {**JWKS["RS256"], "kid": "es256"}]}).encode(),
    ],
    ids=range(9),
)
def test_an_ambiguous_set_is_refused_as_a_whole(text: bytes) -> None:
    with pytest.raises(InvalidKeySetError):
        read_jwks(text)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(list(JWKS["RS256"].values())),
    lambda inner: st.lists(inner, max_size=3),
)


@given(st.dictionaries(st.sampled_from(["kty", "crv", "x", "y", "n", "e", "kid", "alg", "use", "key_ops", "d"]), _JSON))
def test_nothing_but_its_own_error_is_raised(changes: dict[str, object]) -> None:
    for jwk in JWKS.values():
        try:
            read_jwk({**jwk, **changes})
        except InvalidKeyError:
            continue
