"""Project Wycheproof's vectors: every `invalid` row is refused, and nothing but our own errors is ever raised.

The vectors are read from `shared/vectors` beside the checkout; they are not part of this repository.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import load_der_public_key

from authserver.jose.algorithms import find_algorithm
from authserver.jose.errors import InvalidKeySetError, TokenRejected
from authserver.jose.jwk import VerificationKey, read_jwk, read_jwks
from authserver.jose.jws import check_signature, parse_compact
from authserver.jose.roca import has_roca_fingerprint
from authserver.protocol import base64url

FOLDER = Path(__file__).resolve().parents[2].parent / "shared" / "vectors" / "wycheproof"

Row = dict[str, Any]

pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason=f"the Wycheproof vectors are not here: {FOLDER} does not exist"
)


def rows(name: str) -> Iterator[tuple[Row, Row]]:
    for group in json.loads((FOLDER / name).read_text(encoding="utf-8"))["testGroups"]:
        for row in group["tests"]:
            yield group, row


def accepts(keys: dict[str, VerificationKey], token: object) -> bool:
    try:
        check_signature(parse_compact(token), keys.get)
    except TokenRejected:
        return False
    return True


def read_keys(members: Row) -> dict[str, VerificationKey]:
    try:
        return read_jwks(json.dumps(members if "keys" in members else {"keys": [members]}).encode())
    except InvalidKeySetError:
        return {}


def test_json_web_signature() -> None:
    """ASVS 9.1.1, 9.1.2; RFC 8725 §3.1, §3.3. Rows of other algorithms and of RSA below 3072 bit are refused, too."""
    wrong, accepted = [], 0
    for group, row in rows("json_web_signature_test.json"):
        keys = read_keys(group["public"] if "public" in group else group["private"])
        expected = row["result"] == "valid" and bool(keys)
        accepted += expected
        if accepts(keys, row["jws"]) != expected:
            wrong.append((row["tcId"], row["comment"]))
    assert wrong == []
    assert accepted >= 2


def test_json_web_key() -> None:
    """ASVS 11.6.1. All `valid` rows of this file are HMAC or RSA of 2048 bit, so none may pass."""
    passed = [
        (row["tcId"], row["comment"])
        for group, row in rows("json_web_key_test.json")
        if accepts(read_keys(group["public"] if "public" in group else group["private"]), row["jws"])
    ]
    assert passed == []


def test_the_roca_modulus_is_recognised_by_itself() -> None:
    """ASVS 11.6.1. It would be refused for its size anyway; the fingerprint must not depend on that."""
    moduli = {
        group["comment"]: int.from_bytes(base64url.decode(key["n"]), "big")
        for group, _ in rows("json_web_key_test.json")
        for key in group.get("public", {}).get("keys", [])
        if "n" in key
    }
    assert [name for name, modulus in moduli.items() if has_roca_fingerprint(modulus)] == ["jws_rsa_roca_key"]


@pytest.mark.parametrize(
    ("name", "algorithm_name"),
    [
        ("ecdsa_secp256r1_sha256_p1363_test.json", "ES256"),
        ("ed25519_test.json", "EdDSA"),
        ("rsa_signature_3072_sha256_test.json", "RS256"),
    ],
)
def test_signatures(name: str, algorithm_name: str) -> None:
    """RFC 8725 §3.3. `acceptable` (a sloppy ASN.1 encoding) counts as invalid here."""
    wrong, valid = [], 0
    algorithm = find_algorithm(algorithm_name)
    assert algorithm is not None
    for group, row in rows(name):
        key: Any = load_der_public_key(bytes.fromhex(group["publicKeyDer"]))
        if not algorithm.fits(key):
            assert "SmallPublicKey" in row["flags"], "only the RSA key with e = 3 is refused as a key"
            continue
        jwk = group.get("publicKeyJwk") or group.get("keyJwk")
        assert jwk is None or read_jwk(jwk).public_key == key
        verified = algorithm.verify(key, bytes.fromhex(row["msg"]), bytes.fromhex(row["sig"]))
        valid += verified
        if verified != (row["result"] == "valid"):
            wrong.append((row["tcId"], row["comment"]))
    assert wrong == []
    assert valid >= 7
