"""Each attack token is answered by its code, by the checks alone and by a verifier that fetched its keys over HTTP."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from authserver.jose.access_token import check_access_token
from authserver.jose.errors import TokenRejected
from authserver.verifier import InvalidToken, Verifier
from tests.support.clock import ManualClock
from tests.support.loopback import LoopbackServer, running_server
from tests.support.tokens import AUDIENCE, ISSUER, LEEWAY, LONGEST_LIFETIME, NOW, jwks
from tests.vectors.attack_tokens import all_attacks
from tests.vectors.workshop import Attack, Workshop

ATTACKS = all_attacks()


@dataclass
class Range:
    """Where the attacks are tried."""

    workshop: Workshop
    verifier: Verifier
    issuer: LoopbackServer
    listener: LoopbackServer


@pytest.fixture(scope="module")
def place() -> Iterator[Range]:
    with running_server() as issuer, running_server() as listener:
        workshop = Workshop(listener.url)
        issuer.body = jwks(*workshop.issuer_pairs)
        verifier = Verifier(ISSUER, AUDIENCE, jwks_uri=f"{issuer.url}/jwks.json", clock=ManualClock())
        yield Range(workshop, verifier, issuer, listener)


@pytest.mark.parametrize("attack", ATTACKS, ids=[attack.name for attack in ATTACKS])
def test_an_attack_token_is_answered_by_its_code(attack: Attack, place: Range) -> None:
    """One answer for each, whatever it tries.

    ASVS 9.1.1, 9.1.2, 9.2.1, 9.2.2, 9.2.3, 10.3.1; RFC 9700 §2.3;
    RFC 9068 §2.1, §2.2, §4, §5; RFC 8725bis §3.1, §3.12, §3.13, §3.14;
    RFC 8725 §3.1, §3.3, §3.5, §3.7, §3.8, §3.9, §3.10, §3.11, §3.12.
    """
    token = attack.forge(place.workshop)
    keys = {pair.kid: pair.verification_key for pair in place.workshop.issuer_pairs}

    def check() -> None:
        check_access_token(
            token,
            find_key=keys.get,
            issuer=ISSUER,
            audience=AUDIENCE,
            now=NOW,
            leeway=LEEWAY,
            longest_lifetime=LONGEST_LIFETIME,
            expiry_leeway=LEEWAY,
        )

    if attack.code is None:
        check()
        assert place.verifier.verify(token).iss == ISSUER  # type: ignore[arg-type]
        return
    with pytest.raises(TokenRejected) as rejected:
        check()
    assert rejected.value.code == attack.code
    for _ in range(2):  # the second answer must not come from a memory of the first
        with pytest.raises(InvalidToken) as refused:
            place.verifier.verify(token)  # type: ignore[arg-type]
        assert refused.value.code == attack.code


def test_no_attack_makes_the_verifier_ask_anywhere(place: Range) -> None:
    """ASVS 9.1.3: keys come from the configured place only; and unknown kids ask it once, not once each."""
    embedded = [attack for attack in ATTACKS if attack.name.startswith(("embedded-", "jku-", "iss-", "kid-"))]
    assert len(embedded) > 40
    for attack in embedded:
        with pytest.raises(InvalidToken):
            place.verifier.verify(attack.forge(place.workshop))  # type: ignore[arg-type]
    assert place.listener.hits == 0
    assert place.issuer.paths == ["/jwks.json"]


def test_the_corpus_keeps_its_breadth() -> None:
    assert len(ATTACKS) > 400
