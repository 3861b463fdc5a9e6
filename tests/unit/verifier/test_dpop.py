"""Bound tokens at a resource server: the verifier by itself, and each adapter (RFC 9449 §7)."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from authserver.protocol.bearer_request import read_token
from authserver.protocol.dpop_nonce import NONCE_LIFETIME
from authserver.verifier import DpopRequest, InvalidToken, Verifier
from authserver.verifier.bearer import BearerGuard, Call, RefusedError
from authserver.verifier.demands import Demand
from authserver.verifier.used_proofs import UsedProofs
from tests.support.wire.adapters import HOST, SERVERS, Ask
from tests.support.wire.loopback import LoopbackServer, running_server
from tests.support.world.clock import ManualClock
from tests.support.world.proofs import ACCEPT, ProofKey, read_recipes
from tests.support.world.tokens import AUDIENCE, ISSUER, jwks, make_pair, user_claims

PAIR, KEY = make_pair("k", "EdDSA"), ProofKey()
URL = "https://api.example/notes"
TOKEN = PAIR.token(user_claims(cnf={"jkt": KEY.jkt}))
UNBOUND = PAIR.token(user_claims())
ALGS = 'algs="ES256 EdDSA RS256"'
NONCE_KEY = bytes(range(32))


@pytest.fixture
def issuer() -> Iterator[LoopbackServer]:
    with running_server() as server:
        server.body = jwks(PAIR)
        yield server


@pytest.fixture
def verifier(issuer: LoopbackServer, clock: ManualClock) -> Verifier:
    return Verifier(ISSUER, AUDIENCE, jwks_uri=issuer.url, clock=clock)


@pytest.fixture
def picky(issuer: LoopbackServer, clock: ManualClock) -> Verifier:
    """Demands a nonce."""
    return Verifier(ISSUER, AUDIENCE, jwks_uri=issuer.url, clock=clock, dpop_nonce_key=NONCE_KEY)


def prove(clock: ManualClock, token: str = TOKEN, key: ProofKey = KEY, url: str = URL, **claims: object) -> DpopRequest:
    return DpopRequest("GET", url, key.prove("GET", url, clock.seconds(), token, **claims))


def refusal(verifier: Verifier, token: str, dpop: DpopRequest | None) -> InvalidToken:
    with pytest.raises(InvalidToken) as refused:
        verifier.verify(token, dpop)
    return refused.value


def test_a_bound_token_passes_with_its_proof_alone(verifier: Verifier, clock: ManualClock) -> None:
    """RFC 9449 §7.1, §7.2: also when the token is known already."""
    for _ in range(2):
        assert verifier.verify(TOKEN, prove(clock)).jkt == KEY.jkt
        for token, dpop, code, error in (
            (TOKEN, None, "wrong_binding", "invalid_token"),
            (TOKEN, DpopRequest("GET", URL), "invalid_dpop_proof", "invalid_dpop_proof"),
            (TOKEN, prove(clock, key=ProofKey()), "wrong_binding", "invalid_token"),
            (UNBOUND, prove(clock, UNBOUND), "wrong_binding", "invalid_token"),
            (UNBOUND, DpopRequest("GET", URL), "invalid_dpop_proof", "invalid_dpop_proof"),
        ):
            refused = refusal(verifier, token, dpop)
            assert (refused.code, refused.status, refused.dpop_nonce) == (code, 401, None)
            assert refused.www_authenticate == f'DPoP error="{error}", soft_logout="true", {ALGS}'
        assert verifier.verify(UNBOUND).jkt is None


def test_every_refusal_of_a_dpop_request_names_its_scheme(verifier: Verifier, clock: ManualClock) -> None:
    clock.advance(timedelta(hours=1))
    refused = refusal(verifier, TOKEN, prove(clock))
    assert (refused.code, refused.www_authenticate) == (
        "expired",
        f'DPoP error="invalid_token", soft_logout="true", {ALGS}',
    )


def test_each_recipe_is_answered_as_at_the_server(verifier: Verifier, clock: ManualClock) -> None:
    """RFC 9449 §4.3, ASVS 10.3.5."""
    url, found = "http://127.0.0.1:8000/api/notes", {}
    recipes = read_recipes()
    for recipe in recipes:
        request = DpopRequest("GET", url, recipe.make(KEY, "GET", url, clock.seconds(), TOKEN))
        try:
            verifier.verify(TOKEN, request)
            found[recipe.name] = ACCEPT
        except InvalidToken as refused:
            found[recipe.name] = refused.code
    assert found == {recipe.name: recipe.at_resource for recipe in recipes}


def test_a_proof_works_once_in_a_process(verifier: Verifier, clock: ManualClock) -> None:
    """RFC 9449 §11.1: for as long as it would be accepted; of 16 threads, one gets through."""
    request = prove(clock)

    def show(_: int) -> str:
        try:
            return verifier.verify(TOKEN, request).jkt or ""
        except InvalidToken as refused:
            return refused.code

    with ThreadPoolExecutor(16) as pool:
        assert sorted(pool.map(show, range(16))) == sorted([KEY.jkt, *["invalid_dpop_proof"] * 15])
    clock.advance(timedelta(seconds=89))
    assert refusal(verifier, TOKEN, request).reason == "the proof was used before"
    clock.advance(timedelta(seconds=1))
    assert "iat" in refusal(verifier, TOKEN, request).reason


def test_what_is_remembered_is_bounded_and_forgets_no_proof_that_would_pass() -> None:
    """Too many proofs shorten their life; they never let a second use through."""
    used = UsedProofs(capacity=3)
    assert [used.use(bytes([number]), 100 + number, now=50) for number in range(3)] == [True, True, True]
    assert used.use(b"new", 110, now=50)
    assert not used.use(b"\0", 100, now=50), "forgotten, and refused all the same"
    assert not used.use(b"late", 100, now=50)
    assert not used.use(b"\1", 101, now=50)
    assert used.use(b"newer", 110, now=104)
    assert [used.use(b"new", 110, now=104), used.use(b"newer", 110, now=109)] == [False, False]
    assert used.use(b"\1", 200, now=150)


def test_a_nonce_is_demanded_where_there_is_a_key_for_it(picky: Verifier, clock: ManualClock) -> None:
    """RFC 9449 §9, §11.3: every process with this key knows it."""
    refused = refusal(picky, TOKEN, prove(clock))
    assert (refused.code, refused.error, refused.status) == ("use_dpop_nonce", "use_dpop_nonce", 401)
    nonce = refused.dpop_nonce
    assert nonce is not None
    clock.advance(timedelta(seconds=NONCE_LIFETIME - 31))
    request = prove(clock, nonce=nonce, iat=7)
    assert picky.verify(TOKEN, request).jkt == KEY.jkt
    assert refusal(picky, TOKEN, request).code == "invalid_dpop_proof"
    clock.advance(timedelta(seconds=31))
    assert refusal(picky, PAIR.token(user_claims(cnf={"jkt": KEY.jkt})), prove(clock, nonce=nonce)).code in {
        "use_dpop_nonce",
        "expired",
    }


def test_a_short_nonce_key_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Verifier(ISSUER, AUDIENCE, dpop_nonce_key=b"x" * 31)


@pytest.mark.parametrize("server", SERVERS)
def test_each_adapter_takes_proofs(server: str, verifier: Verifier, picky: Verifier, clock: ManualClock) -> None:
    """RFC 9449 §7.1, §9: with the URL of the request, its method and its one header; the demand of a route holds."""
    ask: Ask = SERVERS[server](verifier)

    def show(path: str, method: str = "GET", **claims: object) -> str | None:
        url = f"https://{HOST}{path}"
        return KEY.prove(method, url, clock.seconds(), TOKEN, **claims)

    good = show("/any")
    said = ask("/any?a=b", f"DPoP {TOKEN}", dpop=good)
    assert (said.status, said.json) == (200, {"sub": "user-1"})
    assert ask("/notes", f"dPoP {TOKEN}", method="POST", dpop=show("/notes", "POST")).status == 200
    for proof in (None, "", good, show("/notes"), show("/any", "POST"), f"{show('/any')}, {show('/any')}"):
        said = ask("/any", f"DPoP {TOKEN}", dpop=proof)
        assert (said.status, said.json["error"]) == (401, "invalid_dpop_proof")
        assert said.headers["www-authenticate"].startswith('DPoP error="invalid_dpop_proof"')
        assert ALGS in said.headers["www-authenticate"]
    said = ask("/payment", f"DPoP {TOKEN}", dpop=show("/payment"))
    assert said.headers["www-authenticate"].startswith('DPoP error="insufficient_user_authentication"')
    said = ask("/any", f"Bearer {TOKEN}", dpop=show("/any"))
    assert (said.status, said.headers["www-authenticate"].partition(" ")[0]) == (401, "DPoP")
    ask = SERVERS[server](picky)
    said = ask("/any", f"DPoP {TOKEN}", dpop=show("/any"))
    assert (said.status, said.json["error"]) == (401, "use_dpop_nonce")
    assert ask("/any", f"DPoP {TOKEN}", dpop=show("/any", nonce=said.headers["dpop-nonce"])).status == 200


@pytest.mark.parametrize(
    ("resource", "base_url", "path", "expected"),
    [
        (None, "http://10.0.0.1:8080", "/notes", "http://10.0.0.1:8080/notes"),
        (None, "http://10.0.0.1:8080/v1", "/notes", "http://10.0.0.1:8080/v1/notes"),
        ("https://api.example", "http://10.0.0.1:8080", "/notes", "https://api.example/notes"),
        ("https://api.example/v1", "http://10.0.0.1:8080/v1", "/a b/é", "https://api.example/v1/a%20b/%C3%A9"),
    ],
)
def test_behind_a_proxy_the_resource_says_scheme_and_host(
    verifier: Verifier, clock: ManualClock, resource: str | None, base_url: str, path: str, expected: str
) -> None:
    """RFC 9449 §4.3, check 9: what the client called, whatever the proxy made of it."""
    guard = BearerGuard(verifier, resource=resource)
    credentials = read_token([f"DPoP {TOKEN}"])
    proof = KEY.prove("GET", expected, clock.seconds(), TOKEN)
    assert guard.admit(Call(credentials, base_url, "GET", path, proof), Demand()).jkt == KEY.jkt
    elsewhere = KEY.prove("GET", "https://evil.example/notes", clock.seconds(), TOKEN)
    with pytest.raises(RefusedError):
        guard.admit(Call(credentials, base_url, "GET", path, elsewhere), Demand())
