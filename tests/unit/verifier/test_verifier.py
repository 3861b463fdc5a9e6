"""`Verifier`: what it remembers, what it asks again, and how it is set up."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

import authserver.verifier
from authserver.jose.access_token import SignedClaims
from authserver.protocol import base64url
from authserver.protocol.claims import AccessTokenClaims, UserToken
from authserver.verifier import InvalidToken, Verifier
from authserver.verifier.cache import VerifiedTokens, digest_token
from authserver.verifier.jwks import KEPT_FOR, MAX_AGE
from authserver.verifier.revocations import NoFeed, Revoked
from tests.support.wire.loopback import LoopbackServer, running_server
from tests.support.world.clock import ManualClock
from tests.support.world.tokens import AUDIENCE, ISSUER, jwks, make_pair, user_claims
from tests.vectors.forge.workshop import malleate

PAIR, OTHER = make_pair("k", "ES256"), make_pair("other", "ES256")


class Denials:
    """Knows tokens by what they say; the double of a feed."""

    def __init__(self) -> None:
        self.jtis: dict[str, Revoked] = {}
        self.asked: list[tuple[str, str]] = []
        self.closed = False
        self.lag = 0.0
        self.waits = False

    def check(self, claims: AccessTokenClaims, kid: str, token: str) -> Revoked | None:  # noqa: ARG002 - the seam
        self.asked.append((claims.jti, kid))
        return self.jtis.get(claims.jti)

    def answers_at_once(self) -> bool:
        return not self.waits

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def issuer() -> Iterator[LoopbackServer]:
    with running_server() as server:
        server.body = jwks(PAIR)
        yield server


@pytest.fixture
def denials() -> Denials:
    return Denials()


@pytest.fixture
def verifier(issuer: LoopbackServer, clock: ManualClock, denials: Denials) -> Verifier:
    return Verifier(ISSUER, AUDIENCE, jwks_uri=issuer.url, clock=clock, revocations=denials)


def code_of(verifier: Verifier, token: object) -> str:
    with pytest.raises(InvalidToken) as refused:
        verifier.verify(token)  # type: ignore[arg-type]
    return refused.value.code


def test_the_public_names_are_these() -> None:
    """Contract §6: what is exported is a promise, and nothing else is."""
    names = ["AccessTokenClaims", "ClientToken", "DpopRequest", "InvalidToken", "UserToken", "Verifier"]
    assert authserver.verifier.__all__ == names
    public = {name for name in dir(Verifier) if not name.startswith("_")}
    assert public == {
        *{"verify", "verify_at_once", "require", "check", "close"},
        *{"issuer", "audiences", "lag"},
    }


def test_keys_come_from_below_the_issuer_by_default(issuer: LoopbackServer, clock: ManualClock) -> None:
    for mount in ("", "/", "/tenant"):
        iss = issuer.url + mount
        verifier = Verifier(iss, AUDIENCE, clock=clock)
        assert verifier.verify(PAIR.token(user_claims(iss=iss))).iss == iss
    assert issuer.paths == ["/.well-known/jwks.json", "/.well-known/jwks.json", "/tenant/.well-known/jwks.json"]


@pytest.mark.parametrize("iss", ["https://auth.example", "https://auth.example/", "https://auth.example/realm/"])
def test_an_issuer_is_kept_letter_for_letter(issuer: LoopbackServer, clock: ManualClock, iss: str) -> None:
    """Some issuers end in a slash, and nothing that is compared with `iss` may lose it or get one."""
    verifier = Verifier(iss, AUDIENCE, jwks_uri=issuer.url, clock=clock)
    assert verifier.issuer == verifier.verify(PAIR.token(user_claims(iss=iss))).iss == iss
    other = iss.rstrip("/") if iss.endswith("/") else f"{iss}/"
    assert code_of(verifier, PAIR.token(user_claims(iss=other))) == "wrong_issuer"


def test_http_to_another_machine_is_for_who_says_so() -> None:
    """In a network of containers, `http://authserver:8000` is what there is."""
    verifier = Verifier("https://auth.example", "a", internal_url="http://authserver:8000", allow_http=True)
    assert verifier.issuer == "https://auth.example"
    Verifier("https://auth.example", "a", jwks_uri="http://authserver:8000/keys", allow_http=True)


def test_a_token_seen_again_gives_the_same_claims(verifier: Verifier, issuer: LoopbackServer) -> None:
    token = PAIR.token(user_claims())
    assert verifier.verify(token) == verifier.verify(token)
    assert issuer.hits == 1


def test_a_token_seen_before_still_expires(verifier: Verifier, clock: ManualClock) -> None:
    """ASVS 9.2.1."""
    token = PAIR.token(user_claims())
    verifier.verify(token)
    clock.advance(timedelta(seconds=300 + 29))
    verifier.verify(token)
    clock.advance(timedelta(seconds=1))
    for _ in range(2):
        assert code_of(verifier, token) == "expired"


def test_a_token_seen_before_dies_with_its_key(verifier: Verifier, issuer: LoopbackServer, clock: ManualClock) -> None:
    token = PAIR.token(user_claims(exp=int(clock.seconds()) + 3600))
    verifier.verify(token)
    issuer.body = jwks(OTHER)
    clock.advance(timedelta(seconds=MAX_AGE))
    for _ in range(2):
        assert code_of(verifier, token) == "unknown_key"


def test_revocations_are_asked_each_time_with_claims_and_key(verifier: Verifier, denials: Denials) -> None:
    token = PAIR.token(user_claims())
    verifier.verify(token)
    verifier.verify(token)
    assert denials.asked == [("token-1", "k")] * 2
    denials.jtis["token-1"] = Revoked("token_revoked")
    assert code_of(verifier, token) == "token_revoked"


def test_revocations_are_not_asked_about_what_is_not_proven(verifier: Verifier, denials: Denials) -> None:
    code_of(verifier, OTHER.token(user_claims(), kid="k"))
    assert denials.asked == []


@pytest.mark.parametrize("soft_logout", [True, False])
def test_a_revocation_says_whether_the_logout_is_soft(verifier: Verifier, denials: Denials, soft_logout: bool) -> None:  # noqa: FBT001 - a table
    denials.jtis["token-1"] = Revoked("stale_token_version", soft_logout=soft_logout)
    with pytest.raises(InvalidToken) as refused:
        verifier.verify(PAIR.token(user_claims()))
    assert refused.value.soft_logout is soft_logout


def test_another_spelling_of_a_revoked_token_is_revoked(verifier: Verifier, denials: Denials) -> None:
    """An ECDSA signature has two spellings: a denial by the token's text would let the second one through."""
    token = PAIR.token(user_claims())
    signing_input, _, signature = token.rpartition(".")
    respelled = f"{signing_input}.{base64url.encode(malleate(base64url.decode(signature)))}"
    assert respelled != token
    verifier.verify(respelled)
    denials.jtis["token-1"] = Revoked("token_revoked")
    assert code_of(verifier, token) == code_of(verifier, respelled) == "token_revoked"


def test_a_token_that_is_bound_to_a_key_is_no_bearer_token(verifier: Verifier) -> None:
    """RFC 9449 §7.1: without a proof it may be a stolen one."""
    token = PAIR.token(user_claims(cnf={"jkt": "A" * 43}))
    for _ in range(2):
        assert code_of(verifier, token) == "wrong_binding"


def test_without_keys_nothing_passes(verifier: Verifier, issuer: LoopbackServer, clock: ManualClock) -> None:
    """Fails closed, also for a token that passed before."""
    token = PAIR.token(user_claims(exp=int(clock.seconds()) + 3600))
    issuer.status = 500
    assert code_of(verifier, token) == "keys_unavailable"
    issuer.status = 200
    clock.advance(timedelta(seconds=10))
    verifier.verify(token)
    issuer.status = 500
    clock.advance(timedelta(seconds=KEPT_FOR))
    clock.set_wall(clock.now() - timedelta(seconds=KEPT_FOR))
    assert code_of(verifier, token) == "keys_unavailable"


def test_requirements_use_the_clock_and_leeway_of_the_verifier(verifier: Verifier, clock: ManualClock) -> None:
    claims = verifier.verify(PAIR.token(user_claims()))
    verifier.require(claims, scope="read", max_age=60, acr="1")
    clock.advance(timedelta(seconds=30))
    verifier.require(claims, max_age=60)
    clock.advance(timedelta(seconds=1))
    with pytest.raises(InvalidToken) as refused:
        verifier.require(claims, max_age=60)
    assert refused.value.code == "insufficient_user_authentication"


def test_closing_lets_go_of_the_revocations(verifier: Verifier, denials: Denials) -> None:
    verifier.close()
    assert denials.closed


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"issuer": "http://auth.example"}, "https"),
        ({"issuer": "auth.example"}, "a URL"),
        ({"issuer": "https://auth.example?x"}, "query"),
        ({"jwks_uri": "http://auth.example/jwks.json"}, "https"),
        ({"jwks_uri": "file:///jwks.json"}, "a URL"),
        ({"internal_url": "http://authserver:8000"}, "https"),
        ({"internal_url": "ftp://authserver", "allow_http": True}, "https"),
        ({"internal_url": "https://authserver?x"}, "query"),
        ({"allow_http": True}, "allow_http"),
        ({"issuer": "http://auth.example", "internal_url": "http://auth.example", "allow_http": True}, "https"),
        ({"audience": ""}, "audience"),
        ({"audience": []}, "audience"),
        ({"audience": ["a", ""]}, "audience"),
        ({"client_id": "c"}, "go together"),
        ({"client_secret": "s"}, "go together"),
        ({"when_stale": "accept"}, "needs the feed"),
        ({"client_id": "c", "client_secret": "s", "when_stale": "hope"}, "when_stale"),
        ({"client_id": "c", "client_secret": "s", "revocations": NoFeed()}, "either"),
        ({"leeway": 31}, "leeway"),
        ({"leeway": -1}, "leeway"),
        ({"leeway": float("nan")}, "leeway"),
        ({"longest_lifetime": 0}, "longest_lifetime"),
        ({"longest_lifetime": float("nan")}, "longest_lifetime"),
    ],
)
def test_a_wrong_setting_is_refused_at_once(changes: dict[str, Any], message: str) -> None:
    settings: dict[str, Any] = {"issuer": "https://auth.example", "audience": "a", **changes}
    with pytest.raises(ValueError, match=message):
        Verifier(**settings)


def signed(jti: str, kid: str = "k") -> SignedClaims:
    claims = UserToken(ISSUER, "user-1", (AUDIENCE,), 2, 1, jti, "client", "read", "s", "f", token_version=1)
    return SignedClaims(claims, kid)


def test_the_memory_is_bounded_and_the_oldest_goes_first() -> None:
    memory = VerifiedTokens(capacity=3)
    tokens = [f"header.{name}.x" for name in "abcd"]
    digests = [digest_token(token) or b"" for token in tokens]
    for token, digest in zip(tokens, digests, strict=True):
        memory.remember(token, digest, signed(token))
    found = [memory.find(token, digest) for token, digest in zip(tokens, digests, strict=True)]
    assert found == [None, *((signed(token).claims, "k") for token in tokens[1:])]
    memory.forget(digests[1])
    memory.forget(b"never there")
    assert memory.find(tokens[1], digests[1]) is None


def test_the_memory_names_the_key_of_each_token_and_forgets_rather_than_guesses() -> None:
    """Keys are looked up by header: when there were many, a token counts as not seen before."""
    memory = VerifiedTokens()
    memory.remember("h-first.a.b", b"1", signed("a", "first"))
    memory.remember("h-second.a.b", b"2", signed("b", "second"))
    assert memory.find("h-first.a.b", b"1") == (signed("a").claims, "first")
    assert memory.find("h-second.a.b", b"2") == (signed("b").claims, "second")
    for number in range(100):
        memory.remember(f"h-{number}.a.b", b"3", signed("c", str(number)))
    assert memory.find("h-first.a.b", b"1") is None
    assert len(memory._kids) <= 64


def test_what_tokens_say_alike_is_kept_once(verifier: Verifier) -> None:
    first, second = (verifier.verify(PAIR.token(user_claims(jti=jti))) for jti in ("a", "b"))
    kept = list(verifier._verified._claims.values())
    assert kept == [first, second]
    assert kept[0].aud is kept[1].aud
    assert kept[0].scope is kept[1].scope
    assert kept[0].exp is kept[1].exp


def test_only_verified_tokens_are_remembered(verifier: Verifier) -> None:
    """Garbage must not push good tokens out."""
    good = PAIR.token(user_claims())
    verifier.verify(good)
    for token in (OTHER.token(user_claims(), kid="k"), good + "x", "", "é", None, PAIR.token(user_claims(aud="x"))):
        code_of(verifier, token)
    assert list(verifier._verified._claims) == [digest_token(good)]


def test_at_once_is_only_what_needs_no_waiting(
    verifier: Verifier, denials: Denials, issuer: LoopbackServer, clock: ManualClock
) -> None:
    """An event loop must not stand still while keys are fetched, a signature is checked or the issuer is asked."""
    token = PAIR.token(user_claims(exp=int(clock.seconds()) + 3600))
    assert verifier.verify_at_once(token) is None
    assert issuer.hits == 0
    claims = verifier.verify(token)
    assert verifier.verify_at_once(token) == claims
    denials.waits = True
    assert verifier.verify_at_once(token) is None
    denials.waits = False
    clock.advance(timedelta(seconds=MAX_AGE))
    assert verifier.verify_at_once(token) is None
    assert issuer.hits == 1
    verifier.verify(token)
    denials.jtis["token-1"] = Revoked("token_revoked")
    with pytest.raises(InvalidToken):
        verifier.verify_at_once(token)
    assert verifier.verify_at_once("é") is None
