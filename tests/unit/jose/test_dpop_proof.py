"""Reading DPoP proofs (RFC 9449 §4.3): the RFC's own, those of every algorithm, and what the recipes cannot say."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers

from authserver.jose.algorithms import ALGORITHMS
from authserver.jose.dpop_proof import read_proof
from authserver.jose.errors import ProofRejected
from authserver.jose.jwk import thumbprint
from authserver.protocol import base64url
from authserver.protocol.dpop_nonce import NONCE_LIFETIME
from authserver.protocol.dpop_request import DpopRequest
from tests.support.world.proofs import ACCEPT, ProofKey, Recipe, read_recipes
from tests.support.world.tokens import NOW, encode, make_pair
from tests.vectors.forge.workshop import malleate

URL = "https://api.example/notes"
OWN = ProofKey()

RFC_HEADER = (
    "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJo"
    "RjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19"
)
RFC_TOKEN_PROOF = (
    f"{RFC_HEADER}.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rv"
    "a2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3"
    "Lg"
)
RFC_RESOURCE_PROOF = (
    f"{RFC_HEADER}.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9w"
    "cm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9"
    ".2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA"
)
RFC_TOKEN = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"
RFC_7638_N = (
    "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMst"
    "n64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajr"
    "n1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
)
RFC_JKT = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"


def test_the_proofs_of_the_rfc_are_good() -> None:
    """RFC 9449 §4.1, §6.1, §7.1: two requests, one key, and the thumbprint that a token bound to it carries."""
    at_token = DpopRequest("POST", "https://server.example.com/token", RFC_TOKEN_PROOF)
    assert read_proof(at_token, now=1562262620).jkt == RFC_JKT
    at_resource = DpopRequest("GET", "https://resource.example.org/protectedresource", RFC_RESOURCE_PROOF)
    assert read_proof(at_resource, now=1562262620, access_token=RFC_TOKEN).jkt == RFC_JKT
    with pytest.raises(ProofRejected, match="ath"):
        read_proof(at_resource, now=1562262620, access_token=RFC_TOKEN[:-1])


def test_thumbprints_are_those_of_the_rfcs() -> None:
    """RFC 7638 §3.1, RFC 8037 appendix A.3."""
    rsa = RSAPublicNumbers(65537, int.from_bytes(base64url.decode(RFC_7638_N), "big")).public_key()
    assert thumbprint(rsa) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    ed25519 = Ed25519PublicKey.from_public_bytes(base64url.decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"))
    assert thumbprint(ed25519) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


@pytest.mark.parametrize("algorithm", [algorithm.name for algorithm in ALGORITHMS])
def test_every_algorithm_of_the_table_proves_a_key(algorithm: str) -> None:
    """RFC 9449 §4.3, check 5."""
    key = ProofKey(make_pair("k", algorithm))
    assert read_proof(DpopRequest("GET", URL, key.prove("GET", URL, NOW)), now=NOW).jkt == key.jkt


def test_a_second_spelling_is_no_second_proof() -> None:
    """RFC 9449 §11.1: an ECDSA signature has two valid spellings, so a used proof is known by what it says."""
    proof = OWN.prove("GET", URL, NOW)
    signing_input, _, signature = proof.rpartition(".")
    respelled = f"{signing_input}.{base64url.encode(malleate(base64url.decode(signature)))}"
    assert respelled != proof
    one, two = (read_proof(DpopRequest("GET", URL, text), now=NOW) for text in (proof, respelled))
    assert one == two
    later = read_proof(DpopRequest("GET", URL, OWN.prove("GET", URL, NOW + 1, jti="x")), now=NOW)
    earlier = read_proof(DpopRequest("GET", URL, OWN.prove("GET", URL, NOW, jti="x")), now=NOW)
    assert (later.digest, later.expires_at) == (earlier.digest, earlier.expires_at + 1)


def test_a_proof_is_remembered_as_long_as_it_is_accepted() -> None:
    """RFC 9449 §11.1: `expires_at` is the end, and a fraction of a second counts."""
    for issued_at in (NOW, NOW + 0.5, NOW + 30):
        request = DpopRequest("GET", URL, OWN.pair.sign(*proof_parts(iat=issued_at)))
        expires_at = read_proof(request, now=NOW).expires_at
        with pytest.raises(ProofRejected, match="iat"):
            read_proof(request, now=expires_at)
        assert read_proof(request, now=expires_at - 1).expires_at == expires_at


def test_a_nonce_that_is_demanded_dates_the_proof() -> None:
    """RFC 9449 §4.3, checks 10 and 11; §8: an old one is told apart from a bad proof."""
    request = DpopRequest("GET", URL, OWN.prove("GET", URL, 0, nonce="good"))
    proof = read_proof(request, now=NOW, find_nonce_time={"good": NOW - 10}.get)
    assert proof.expires_at == NOW - 10 + NONCE_LIFETIME
    for nonce in (None, 7, "", "bad"):
        request = DpopRequest("GET", URL, OWN.prove("GET", URL, NOW, nonce=nonce))
        with pytest.raises(ProofRejected) as rejected:
            read_proof(request, now=NOW, find_nonce_time={"good": NOW}.get)
        assert rejected.value.code == "use_dpop_nonce"


def proof_parts(**claims: object) -> tuple[bytes, bytes]:
    header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": OWN.jwk}
    return encode(header), encode({"jti": "x", "htm": "GET", "htu": URL, **claims})


@pytest.mark.parametrize("recipe", read_recipes(), ids=lambda recipe: recipe.name)
def test_each_recipe_gives_the_same_answer_here(recipe: Recipe) -> None:
    """RFC 9449 §4.3."""
    proof = recipe.make(OWN, "GET", "http://127.0.0.1:8000/api/notes", NOW, "token")
    request = DpopRequest("GET", "http://127.0.0.1:8000/api/notes", proof)
    for expected, access_token in ((recipe.at_token, None), (recipe.at_resource, "token")):
        try:
            found = ACCEPT if read_proof(request, now=NOW, access_token=access_token).jkt == OWN.jkt else "other key"
        except ProofRejected as rejected:
            found = rejected.code
        assert found == {"invalid_grant": "other key", "wrong_binding": "other key"}.get(expected, expected)
