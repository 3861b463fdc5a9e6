"""Each attack token is answered by its code, by the checks alone and by a verifier that fetched its keys over HTTP."""

import re
import socket
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from authserver.jose.access_token import check_access_token
from authserver.jose.errors import TokenRejected
from authserver.verifier import InvalidToken, Verifier
from tests.support.wire.connections import watched_connections
from tests.support.wire.loopback import LoopbackServer, running_server
from tests.support.world.clock import START, ManualClock
from tests.support.world.vectors import FOLDER, NAMES, Vector, read_setting, read_vectors
from tests.vectors.forge.corpus import write_files
from tests.vectors.forge.workshop import pack_spaces

VECTORS = read_vectors()
SETTING = read_setting()
RECIPES = {"client_assertions.json", "client_documents.json", "dpop_proofs.json"}
"""Cooked when they are shown, and not forged."""


@dataclass
class Range:
    """Where the attacks are tried."""

    verifier: Verifier
    issuer: LoopbackServer


@pytest.fixture(scope="module")
def place() -> Iterator[Range]:
    assert int(START.timestamp()) == SETTING.now
    with running_server() as issuer:
        issuer.body = SETTING.jwks
        jwks_uri = f"{issuer.url}/jwks.json"
        yield Range(Verifier(SETTING.issuer, SETTING.audience, jwks_uri=jwks_uri, clock=ManualClock()), issuer)


def check(token: object) -> None:
    """The checks alone; raises `TokenRejected`."""
    check_access_token(
        token,
        find_key=SETTING.keys.get,
        issuer=SETTING.issuer,
        audience=SETTING.audience,
        now=SETTING.now,
        leeway=SETTING.leeway,
        longest_lifetime=SETTING.longest_lifetime,
        expiry_leeway=SETTING.leeway,
    )


@pytest.mark.parametrize("vector", VECTORS, ids=[vector.name for vector in VECTORS])
def test_an_attack_token_is_answered_by_its_code(vector: Vector, place: Range) -> None:
    """One answer for each, whatever it tries.

    ASVS 9.1.1, 9.1.2, 9.2.1, 9.2.2, 9.2.3, 10.3.1; RFC 9700 §2.3;
    RFC 9068 §2.1, §2.2, §4, §5; RFC 8725bis §3.1, §3.12, §3.13, §3.14;
    RFC 8725 §3.1, §3.3, §3.5, §3.7, §3.8, §3.9, §3.10, §3.11, §3.12.
    """
    if vector.code is None:
        check(vector.token)
        assert place.verifier.verify(vector.token).iss == SETTING.issuer
        return
    with pytest.raises(TokenRejected) as rejected:
        check(vector.token)
    assert rejected.value.code == vector.code
    for _ in range(2):  # the second answer must not come from a memory of the first
        with pytest.raises(InvalidToken) as refused:
            place.verifier.verify(vector.token)
        assert refused.value.code == vector.code


def test_a_token_of_bytes_is_malformed(place: Range) -> None:
    """What only Python can be shown, also when it spells a good token."""
    good = next(vector.token for vector in VECTORS if vector.name == "good-token-of-es")
    with pytest.raises(InvalidToken) as refused:
        place.verifier.verify(good.encode())
    assert refused.value.code == "malformed"


def test_no_attack_makes_the_verifier_ask_anywhere(place: Range) -> None:
    """ASVS 9.1.3: keys come from the configured place only; and unknown kids ask it once, not once each."""
    embedded = [vector for vector in VECTORS if vector.name.startswith(("embedded-", "jku-", "iss-", "kid-"))]
    assert len(embedded) > 40
    with watched_connections() as reached:
        for vector in embedded:
            with pytest.raises(InvalidToken):
                place.verifier.verify(vector.token)
    assert place.issuer.paths == ["/jwks.json"]
    assert set(reached) <= {place.issuer.url.removeprefix("http://")}


def test_a_server_that_is_asked_is_seen(place: Range) -> None:
    """Or else the test above would prove nothing."""
    host, _, port = place.issuer.url.removeprefix("http://").rpartition(":")
    with watched_connections() as reached:
        socket.create_connection((host, int(port))).close()
    assert f"{host}:{port}" in reached


def test_the_corpus_keeps_its_breadth() -> None:
    assert len(VECTORS) > 600
    names = [vector.name for vector in VECTORS]
    assert len(set(names)) == len(names)


def test_the_files_are_what_is_forged_today() -> None:
    """After a change below `forge/`: make vectors."""
    written = dict(write_files())
    assert {path.name for path in written} == {path.name for path in FOLDER.glob("*.json")} - RECIPES
    assert {path.stem for path in written} == set(NAMES)
    assert [path.name for path, text in written.items() if path.read_text(encoding="utf-8") != text] == []


def test_what_is_packed_by_hand_unpacks() -> None:
    for number in (1, 2, 259, 250_000):
        assert zlib.decompress(pack_spaces(number)) == b" " * number


def test_the_format_is_explained_with_all_its_codes() -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert {vector.code for vector in VECTORS if vector.code} <= set(re.findall(r"`(\w+)`", text))
