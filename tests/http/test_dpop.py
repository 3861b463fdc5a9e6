"""DPoP at the doors (RFC 9449): tokens that are worth nothing without their key, where they are given and shown."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from werkzeug.test import TestResponse

from authserver.clients.register_client import FIRST_PARTY_CLIENT_ID, update_client
from authserver.jose.algorithms import ALGORITHMS
from authserver.protocol.client_metadata import ClientKind
from authserver.protocol.dpop_nonce import NONCE_LIFETIME
from authserver.realm import KeyProofs, Realm
from authserver.storage.proofs import UsedProofs
from tests.support.people.api import Api, content
from tests.support.people.authorizing import App, answered, claims_of, register_app
from tests.support.people.credentials import NEW_PASSWORD
from tests.support.people.dpop import DpopDevice
from tests.support.people.introspecting import register_server
from tests.support.people.pages import Pages
from tests.support.world.clock import ManualClock
from tests.support.world.proofs import ProofKey
from tests.support.world.realm import ISSUER, PASSWORD

TOKEN = "/oauth/token"
ALGS = 'algs="ES256 EdDSA RS256"'


@pytest.fixture
def device(api: Api, clock: ManualClock, user_id: str) -> DpopDevice:
    assert user_id
    return DpopDevice(api, clock)


def challenged(response: TestResponse, code: str, error: str = "invalid_token") -> None:
    """A refusal in the scheme DPoP, after which the client may keep what it has."""
    body = content(response, 401)
    assert body.get("code", code) == code
    assert response.headers["WWW-Authenticate"] == f'DPoP error="{error}", soft_logout="true", {ALGS}'
    assert body["soft_logout"] is True


def bound_to(answer: dict[str, Any]) -> str | None:
    """The key that the access token is bound to; the answer must say so."""
    confirmation = claims_of(answer["access_token"]).get("cnf")
    assert answer["token_type"] == ("Bearer" if confirmation is None else "DPoP")
    return None if confirmation is None else str(confirmation["jkt"])


PLACES = [("GET", "/oauth/userinfo"), ("GET", "/api/account"), ("POST", "/api/account/sessions/revoke-others")]


@pytest.mark.parametrize(("method", "path"), PLACES)
def test_a_bound_token_needs_its_scheme_its_proof_and_its_key(device: DpopDevice, method: str, path: str) -> None:
    """RFC 9449 §7.1, §7.2, ASVS 10.3.5."""
    token = device.tokens["access_token"]

    def show(scheme: str, proof: str | None) -> TestResponse:
        headers = {"Authorization": f"{scheme} {token}"} | ({} if proof is None else {"DPoP": proof})
        return device.api.client.open(path, method=method, headers=headers)

    challenged(show("Bearer", None), "wrong_binding")
    challenged(show("Bearer", device.prove(method, path, token)), "wrong_binding")
    challenged(show("DPoP", None), "invalid_dpop_proof", "invalid_dpop_proof")
    thiefs = ProofKey().prove(method, f"{ISSUER}{path}", device.key_time, token)
    challenged(show("DPoP", thiefs), "wrong_binding")
    good = device.prove(method, path, token)
    assert show("dpop", good).status_code == 200
    challenged(show("DPoP", good), "invalid_dpop_proof", "invalid_dpop_proof")


def test_an_unbound_token_is_no_dpop_token(api: Api, device: DpopDevice) -> None:
    """RFC 9449 §4.3, check 12."""
    device.tokens = api.sign_in()
    challenged(device.call("GET", "/api/account"), "wrong_binding")
    challenged(device.call("GET", "/oauth/userinfo"), "wrong_binding")
    content(api.get("/account", device.tokens["access_token"]), 200)


def test_a_refusal_of_another_kind_names_the_scheme_too(device: DpopDevice, clock: ManualClock) -> None:
    """RFC 9449 §7.1: expired, or signed in too long ago."""
    clock.advance(timedelta(seconds=899))
    device.refresh()
    clock.advance(timedelta(seconds=2))
    body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    stale = device.call("POST", "/api/account/password", body)
    assert stale.status_code == 401
    challenge = stale.headers["WWW-Authenticate"]
    assert challenge.startswith('DPoP error="insufficient_user_authentication", max_age="900"')
    assert challenge.endswith(ALGS)
    clock.advance(timedelta(seconds=300))
    challenged(device.call("GET", "/api/account"), "expired")


def test_a_proof_made_for_one_door_opens_no_other(device: DpopDevice) -> None:
    """RFC 9449 §4.3, checks 8 and 9."""
    token = device.tokens["access_token"]
    elsewhere = device.prove("GET", "/oauth/userinfo", token)
    challenged(device.call("GET", "/api/account", proof=elsewhere), "invalid_dpop_proof", "invalid_dpop_proof")
    content(device.call("GET", "/oauth/userinfo", proof=elsewhere), 200)


def test_a_password_change_keeps_the_key(device: DpopDevice) -> None:
    """The renewed session is bound as before: its access token, and its refresh token."""
    body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    renewed = content(device.call("POST", "/api/account/password", body), 200)
    assert bound_to(renewed) == device.key.jkt
    device.tokens |= renewed
    assert device.post_refresh(None).status_code == 400
    assert bound_to(device.refresh()) == device.key.jkt


def test_a_password_change_by_an_unbound_token_keeps_the_key_of_the_family(api: Api, device: DpopDevice) -> None:
    """Who holds a bearer token from before the family was bound cannot take the session away from the key."""
    device.tokens = api.sign_in()
    unbound = device.tokens["access_token"]
    assert bound_to(device.refresh()) == device.key.jkt
    body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    renewed = content(api.post("/account/password", body, unbound), 200)
    assert bound_to(renewed) == device.key.jkt
    device.tokens |= renewed
    assert device.post_refresh(None).status_code == 400
    device.refresh()


def test_a_browser_with_a_cookie_may_have_a_key(api: Api, device: DpopDevice) -> None:
    headers = {"Origin": ISSUER}
    body = {"email": "ada@example.test", "password": PASSWORD, "delivery": "cookie"}
    proof = device.prove("POST", "/api/login")
    answer = content(api.client.post("/api/login", json=body, headers={**headers, "DPoP": proof}), 200)
    assert bound_to(answer) == device.key.jkt
    refused = api.client.post("/api/refresh", json={}, headers=headers)
    assert content(refused, 401)["code"] == "invalid_grant"
    assert content(refused, 401)["soft_logout"] is True
    bad = api.client.post("/api/refresh", json={}, headers={**headers, "DPoP": "x"})
    assert content(bad, 400)["code"] == "invalid_dpop_proof"
    proof = device.prove("POST", "/api/refresh")
    answer = content(api.client.post("/api/refresh", json={}, headers={**headers, "DPoP": proof}), 200)
    assert bound_to(answer) == device.key.jkt


def test_a_sign_in_with_a_bad_proof_opens_nothing(device: DpopDevice, realm: Realm) -> None:
    """RFC 9449 §5: a client that asks for a bound token never gets another one. A used proof is refused, too."""
    used = device.prove("POST", "/api/login")
    content(device.login(used), 200)
    for proof in ("", "x", used, device.prove("GET", "/api/login"), device.prove("POST", TOKEN)):
        assert content(device.login(proof), 400)["code"] == "invalid_dpop_proof"
    assert content(device.login(device.prove("POST", "/api/login"), password="wrong"), 401)
    update_client(realm, FIRST_PARTY_CLIENT_ID, {"dpop_bound_access_tokens": True})
    device.wait(timedelta(seconds=6))
    assert content(device.api.login(), 400)["code"] == "invalid_dpop_proof"
    content(device.login(device.prove("POST", "/api/login")), 200)


@pytest.fixture
def app(realm: Realm, api: Api, pages: Pages) -> App:
    """A public client."""
    return App(pages, api, register_app(realm).client.client_id)


@pytest.fixture
def prove(clock: ManualClock) -> Callable[..., dict[str, str]]:
    """The header of a token request, with a key."""
    return lambda key: {"DPoP": key.prove("POST", f"{ISSUER}{TOKEN}", clock.seconds())}


def redeem(app: App, code: str, headers: dict[str, str]) -> TestResponse:
    app.api.client.environ_base.update({"HTTP_DPOP": headers["DPoP"]} if headers else {})
    try:
        return app.redeem(code)
    finally:
        app.api.client.environ_base.pop("HTTP_DPOP", None)


def test_a_code_that_names_its_key_is_worth_nothing_without_it(
    app: App, prove: Callable[[ProofKey], dict[str, str]]
) -> None:
    """RFC 9449 §10; a wrong key uses nothing up."""
    key = ProofKey()
    code = app.authorize(dpop_jkt=key.jkt)
    for headers in ({}, prove(ProofKey())):
        assert content(redeem(app, code, headers), 400)["error"] == "invalid_grant"
    answer = content(redeem(app, code, prove(key)), 200)
    assert bound_to(answer) == key.jkt
    assert app.refresh(answer["refresh_token"]).status_code == 400


def test_a_code_without_a_key_is_bound_when_it_is_exchanged(
    app: App, realm: Realm, clock: ManualClock, prove: Callable[[ProofKey], dict[str, str]]
) -> None:
    """RFC 9449 §5; and where the client says that it always brings a proof, the exchange without one is refused."""
    key = ProofKey()
    used = prove(key)
    assert bound_to(content(redeem(app, app.authorize(), used), 200)) == key.jkt
    assert content(redeem(app, app.authorize(), used), 400)["error"] == "invalid_dpop_proof"
    assert bound_to(content(redeem(app, app.authorize(), {}), 200)) is None
    update_client(realm, app.client_id, {"dpop_bound_access_tokens": True})
    clock.advance(timedelta(seconds=6))
    code = app.authorize()
    assert content(redeem(app, code, {}), 400)["error"] == "invalid_dpop_proof"
    assert bound_to(content(redeem(app, code, prove(key)), 200)) == key.jkt


def test_dpop_jkt_is_a_thumbprint(app: App) -> None:
    app.authorize()
    for wrong in ("x", "x" * 44, "=" * 43):
        assert answered(app.send(dpop_jkt=wrong))["error"] == "invalid_request"


def test_introspection_tells_the_key(api: Api, realm: Realm, device: DpopDevice) -> None:
    """RFC 9449 §6.2."""
    server = register_server(realm, f"{ISSUER}/api")
    said = content(api.client.post("/oauth/introspect", data={"token": device.tokens["access_token"], **server}), 200)
    assert (said["token_type"], said["cnf"]) == ("DPoP", {"jkt": device.key.jkt})
    plain = content(api.client.post("/oauth/introspect", data={"token": api.sign_in()["access_token"], **server}), 200)
    assert (plain["token_type"], "cnf" in plain) == ("Bearer", False)


def test_a_client_may_introspect_its_bound_refresh_token(api: Api, realm: Realm, pages: Pages) -> None:
    """A confidential client's is not bound; a public one may not ask."""
    registered = register_app(realm, "Server", kind=ClientKind.CONFIDENTIAL)
    assert registered.secret is not None
    app = App(pages, api, registered.client.client_id, registered.secret.reveal())
    form = {"client_id": app.client_id, "client_secret": registered.secret.reveal()}
    tokens = app.connect()
    said = content(api.client.post("/oauth/introspect", data={"token": tokens["refresh_token"], **form}), 200)
    assert "cnf" not in said


@pytest.mark.parametrize("name", ["access_token", "refresh_token"])
def test_a_bound_token_is_revoked_without_a_proof(device: DpopDevice, name: str) -> None:
    """RFC 7009 §2.1: revocation needs no proof, or a client that lost its key could not give its tokens back."""
    form = {"client_id": "first-party", "token": device.tokens[name]}
    assert device.api.client.post("/oauth/revoke", data=form).status_code == 200
    assert device.call("GET", "/api/account").status_code == 401


def test_discovery_names_the_algorithms(api: Api) -> None:
    """RFC 9449 §5.1."""
    document = content(api.client.get("/.well-known/openid-configuration"), 200)
    assert document["dpop_signing_alg_values_supported"] == [algorithm.name for algorithm in ALGORITHMS]


class TestNonces:
    """An installation that demands a nonce in each proof (RFC 9449 §8, §9)."""

    @pytest.fixture
    def realm(self, realm: Realm) -> Realm:
        object.__setattr__(realm, "proofs", KeyProofs(UsedProofs(realm.database), demand_nonce=True))
        return realm

    @pytest.fixture
    def device(self, api: Api, clock: ManualClock, user_id: str) -> DpopDevice:
        assert user_id
        return DpopDevice(api, clock, with_nonce=True)

    def test_a_proof_without_a_nonce_is_told_which(self, api: Api, device: DpopDevice) -> None:
        """RFC 9449 §8, §8.1, §9, §11.3: never accepted, even after good ones."""
        for _ in range(2):
            response = device.post_refresh(device.prove("POST", TOKEN))
            assert content(response, 400)["error"] == "use_dpop_nonce"
            nonce = response.headers["DPoP-Nonce"]
            response = device.post_refresh(device.prove("POST", TOKEN, nonce=nonce))
            assert content(response, 200)["token_type"] == "DPoP"
            assert response.headers["DPoP-Nonce"] == nonce, "the next one comes with each answer (§8.2)"
        for method, path in PLACES:
            response = device.call(method, path)
            challenged(response, "use_dpop_nonce", "use_dpop_nonce")
            token, nonce = device.tokens["access_token"], response.headers["DPoP-Nonce"]
            response = device.call(method, path, proof=device.prove(method, path, token, nonce=nonce))
            assert (response.status_code, response.headers["DPoP-Nonce"]) == (200, nonce)
        assert content(device.login(device.prove("POST", "/api/login")), 400)["code"] == "use_dpop_nonce"
        assert "DPoP-Nonce" not in api.login().headers

    def test_a_nonce_lives_for_some_minutes(self, device: DpopDevice, clock: ManualClock) -> None:
        nonce = device.fetch_nonce()
        clock.advance(timedelta(seconds=NONCE_LIFETIME - 31))
        assert device.post_refresh(device.prove("POST", TOKEN, nonce=nonce)).status_code == 200
        clock.advance(timedelta(seconds=31))
        response = device.post_refresh(device.prove("POST", TOKEN, nonce=nonce))
        assert content(response, 400)["error"] == "use_dpop_nonce"
        assert response.headers["DPoP-Nonce"] != nonce

    @pytest.mark.parametrize("wrong", [None, 1, "", "x", ["x"]])
    def test_nobody_makes_a_nonce_up(self, device: DpopDevice, wrong: object) -> None:
        """RFC 9449 §8: unpredictable."""
        proofs = [device.prove("POST", TOKEN, nonce=wrong)]
        nonce = device.fetch_nonce()
        proofs += [device.prove("POST", TOKEN, nonce=made) for made in (nonce[:-1], f"{nonce[:20]}A{nonce[21:]}")]
        for proof in proofs:
            assert content(device.post_refresh(proof), 400)["error"] == "use_dpop_nonce"

    def test_the_clock_of_the_client_may_be_wrong(self, device: DpopDevice) -> None:
        """RFC 9449 §4.3, check 11: the nonce dates the proof. It still works once."""
        for iat in (0, 2_000_000_000):
            proof = device.prove("POST", TOKEN, nonce=device.fetch_nonce(), iat=iat)
            assert device.post_refresh(proof).status_code == 200
            assert content(device.post_refresh(proof), 400)["error"] == "invalid_dpop_proof"
