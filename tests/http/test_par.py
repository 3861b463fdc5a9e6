"""`POST /oauth/par` and what becomes of a pushed request at `/oauth/authorize` (RFC 9126)."""

import json
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from werkzeug.test import TestResponse

from authserver.protocol.client_metadata import ClientKind
from authserver.realm import Realm
from authserver.storage import clients
from tests.support.people.api import Api, content
from tests.support.people.authorizing import CALLBACK, STATE, VERIFIER, App, answered, claims_of, register_app
from tests.support.people.pages import Form, Pages, dump, read_page
from tests.support.world.clock import ManualClock
from tests.support.world.proofs import ProofKey
from tests.support.world.realm import ISSUER

PREFIX = "urn:ietf:params:oauth:request_uri:"


class PushingApp(App):
    """An application that pushes what it asks for."""

    def push(self, /, **parameters: str | None) -> TestResponse:
        """Push the request that `link` would have the browser bring."""
        form = dict(parse_qsl(urlsplit(self.link(**parameters)).query))
        if self.secret is not None:
            form["client_secret"] = self.secret
        return self.api.client.post("/oauth/par", data=form)

    def push_link(self, **parameters: str | None) -> str:
        """Where the application sends people who it has pushed a request for."""
        return self.name(content(self.push(**parameters), 201)["request_uri"])

    def name(self, request_uri: str, client_id: str | None = None) -> str:
        """The address that names a pushed request."""
        return "/oauth/authorize?" + urlencode({"client_id": client_id or self.client_id, "request_uri": request_uri})

    def visit(self, link: str) -> TestResponse:
        """Where a person comes to who follows `link`."""
        return self.follow(self.pages.get(link))


@pytest.fixture
def app(realm: Realm, api: Api, pages: Pages) -> PushingApp:
    """A public client in a browser where nobody is signed in."""
    return PushingApp(pages, api, register_app(realm).client.client_id)


@pytest.fixture
def thief(app: PushingApp) -> PushingApp:
    """The same application in somebody else's browser."""
    return PushingApp(Pages(app.api), app.api, app.client_id)


def assert_spent(response: TestResponse) -> None:
    """A page of ours that leads nowhere and says what to do."""
    assert (response.status_code, "Location" in response.headers) == (400, False)
    assert "Go back to the app that sent you here" in read_page(response)


# --- the whole way ---------------------------------------------------------------------------------------------------


def test_a_pushed_request_is_answered_like_one_that_the_browser_brings(app: PushingApp) -> None:
    """RFC 9126 §2.2, §4: 201, `no-store`, a name of 60 seconds; `state` and `iss` come back whole."""
    response = app.push(nonce="n-0S6")
    pushed = content(response, 201)
    assert (pushed["expires_in"], response.headers["Cache-Control"]) == (60, "no-store")
    assert pushed["request_uri"].startswith(PREFIX)
    said = answered(app.decide(app.sign_in(app.visit(app.name(pushed["request_uri"])))))
    assert (said["state"], said["iss"]) == (STATE, ISSUER)
    assert content(app.redeem(said["code"]), 200)["scope"] == "openid read offline_access"


def test_a_confidential_client_proves_itself_at_the_push(realm: Realm, api: Api, pages: Pages) -> None:
    """RFC 9126 §2.1, ASVS 10.4.10: authenticated as at the token endpoint, and its secret is no part of the request."""
    registered = register_app(realm, kind=ClientKind.CONFIDENTIAL)
    assert registered.secret is not None
    secret = registered.secret.reveal()
    app = PushingApp(pages, api, registered.client.client_id, secret)
    for wrong in (None, "cs_wrong"):
        app.secret = wrong
        refused = app.push()
        assert content(refused, 401)["error"] == "invalid_client"
        assert "WWW-Authenticate" in refused.headers
    app.secret = secret
    link = app.push_link()
    assert secret not in repr(dump(realm))
    assert "code" in answered(app.decide(app.sign_in(app.visit(link))))
    form = dict(parse_qsl(urlsplit(app.link()).query))
    del form["client_id"]  # the Authorization header names it
    by_header = api.client.post("/oauth/par", data=form, auth=(app.client_id, secret))
    assert "code" in answered(app.visit(app.name(content(by_header, 201)["request_uri"])))


def test_a_pushed_request_is_as_long_as_it_needs_to_be_and_in_no_address(app: PushingApp) -> None:
    """What a browser could not bring; none of it reaches its history."""
    state = "x" * 10_000
    link = app.push_link(state=state)
    first = app.pages.get(link)
    assert len(first.headers["Location"]) < 1000
    assert answered(app.decide(app.sign_in(app.follow(first))))["state"] == state
    assert content(app.push(state="x" * 20_000), 400)["error"] == "invalid_request"


def test_a_proof_at_the_push_names_the_key_of_the_code(app: PushingApp, clock: ManualClock) -> None:
    """RFC 9449 §10.1: what the code is exchanged for goes to that key alone; one proof, one push, one key."""
    ours, theirs = ProofKey(), ProofKey()

    def prove(key: ProofKey, path: str) -> dict[str, str]:
        return {"DPoP": key.prove("POST", f"{ISSUER}{path}", clock.seconds())}

    form = dict(parse_qsl(urlsplit(app.link()).query))
    proof = prove(ours, "/oauth/par")
    pushed = content(app.api.client.post("/oauth/par", data=form, headers=proof), 201)
    for again in ({**form}, {**form, "dpop_jkt": theirs.jkt}):
        refused = content(app.api.client.post("/oauth/par", data=again, headers=proof), 400)
        assert refused["error"] == "invalid_dpop_proof"
    code = answered(app.decide(app.sign_in(app.visit(app.name(pushed["request_uri"])))))["code"]
    exchange = {
        "grant_type": "authorization_code",
        "client_id": app.client_id,
        "code": code,
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
    }
    for headers in ({}, prove(theirs, "/oauth/token")):
        refused = content(app.api.client.post("/oauth/token", data=exchange, headers=headers), 400)
        assert refused["error"] == "invalid_grant"
    tokens = content(app.api.client.post("/oauth/token", data=exchange, headers=prove(ours, "/oauth/token")), 200)
    assert claims_of(tokens["access_token"])["cnf"] == {"jkt": ours.jkt}


# --- what is refused at the push -------------------------------------------------------------------------------------

REFUSED: dict[str, tuple[dict[str, str | None], str]] = {
    "no response type": ({"response_type": None}, "invalid_request"),
    "implicit": ({"response_type": "token"}, "unsupported_response_type"),
    "no challenge": ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
    "plain": ({"code_challenge_method": "plain"}, "invalid_request"),
    "jarm": ({"response_mode": "query.jwt"}, "invalid_request"),
    "unregistered scope": ({"scope": "openid admin"}, "invalid_scope"),
    "unknown resource": ({"resource": "https://elsewhere.example"}, "invalid_target"),
    "request object": ({"request": "e30."}, "request_not_supported"),
    "request uri of another server": ({"request_uri": "https://app.example/r"}, "invalid_request"),
    "request uri of ours": ({"request_uri": PREFIX + "x"}, "invalid_request"),
    "no redirect": ({"redirect_uri": None}, "invalid_request"),
    "unregistered redirect": ({"redirect_uri": "https://evil.example/"}, "invalid_request"),
    "unknown client": ({"client_id": "unknown"}, "invalid_client"),
    "no client": ({"client_id": None}, "invalid_client"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_may_not_be_asked_is_refused_at_the_push(app: PushingApp, realm: Realm, name: str) -> None:
    """RFC 9126 §2.1, §2.3: in JSON, as the redirect would have said it; nothing is kept."""
    parameters, error = REFUSED[name]
    before = dump(realm)
    response = app.push(**parameters)
    assert content(response, 401 if error == "invalid_client" else 400)["error"] == error
    assert response.headers["Cache-Control"] == "no-store"
    assert dump(realm) == before


def test_a_repeated_parameter_is_refused(app: PushingApp) -> None:
    body = f"{urlsplit(app.link()).query}&state=another"
    response = app.api.client.post("/oauth/par", data=body, content_type="application/x-www-form-urlencoded")
    assert content(response, 400)["error"] == "invalid_request"


def test_several_resources_are_pushed(realm: Realm, api: Api, pages: Pages) -> None:
    """RFC 8707 §2."""
    audience = ("https://one.example", "https://two.example")
    app = PushingApp(pages, api, register_app(realm, audience=audience).client.client_id)
    body = urlsplit(app.link()).query + "".join(f"&resource={uri}" for uri in audience)
    response = api.client.post("/oauth/par", data=body, content_type="application/x-www-form-urlencoded")
    said = answered(app.decide(app.sign_in(app.visit(app.name(content(response, 201)["request_uri"])))))
    assert content(app.redeem(said["code"], resource="https://two.example"), 200)


def test_a_loopback_port_is_judged_as_at_the_authorization_endpoint(realm: Realm, api: Api, pages: Pages) -> None:
    """RFC 8252 §7.3."""
    client = register_app(realm, kind=ClientKind.NATIVE, redirect_uris=("http://127.0.0.1/done",)).client
    app = PushingApp(pages, api, client.client_id)
    assert app.push(redirect_uri="http://127.0.0.1:50123/done").status_code == 201
    assert app.push(redirect_uri="http://127.0.0.2:50123/done").status_code == 400


@pytest.mark.parametrize("kind", [ClientKind.DEVICE, ClientKind.RESOURCE_SERVER])
def test_a_client_that_gets_no_code_pushes_nothing(realm: Realm, api: Api, pages: Pages, kind: ClientKind) -> None:
    registered = register_app(realm, kind=kind, redirect_uris=())
    secret = None if registered.secret is None else registered.secret.reveal()
    app = PushingApp(pages, api, registered.client.client_id, secret)
    assert content(app.push(), 400)["error"] == "unauthorized_client"


def test_only_post_is_answered(api: Api) -> None:
    """RFC 9126 §2.3."""
    assert api.client.get("/oauth/par").status_code == 405


# --- once, in time, for its client -----------------------------------------------------------------------------------


def test_a_pushed_request_opens_once(app: PushingApp, thief: PushingApp) -> None:
    """RFC 9126 §4, §7.3: another browser gets nothing, before and after the answer."""
    link = app.push_link()
    page = app.visit(link)
    assert_spent(thief.visit(link))
    assert "code" in answered(app.decide(app.sign_in(page)))
    assert_spent(thief.visit(link))


def test_the_browser_that_opened_it_may_load_it_again(app: PushingApp, clock: ManualClock) -> None:
    """Before the sign-in, between the steps, and when the minute of its name is long over."""
    link = app.push_link(prompt="login")
    app.visit(link)
    clock.advance(timedelta(minutes=5))
    again = app.visit(link)
    assert 'name="password"' in again.text
    app.sign_in(again)
    assert "code" in answered(app.decide(app.visit(link)))  # nobody has to sign in once more


def test_what_was_answered_at_once_may_be_loaded_again(app: PushingApp, thief: PushingApp) -> None:
    """As with `response_mode=form_post`, whose page stands at the address of the request."""
    app.authorize()
    link = app.push_link(response_mode="form_post")
    pages = [app.visit(link) for _ in range(2)]
    assert [Form(page.text).action for page in pages] == [CALLBACK] * 2
    assert_spent(thief.visit(link))


def test_an_address_of_ours_works_in_no_other_browser(app: PushingApp, thief: PushingApp) -> None:
    """A request that the browser brings begins anew there; a pushed one is open already."""
    page = app.pages.get(app.push_link()).headers["Location"]
    assert_spent(thief.visit(page))


def test_who_lost_the_cookie_starts_again_at_the_app(app: PushingApp) -> None:
    link = app.push_link()
    app.visit(link)
    assert_spent(PushingApp(Pages(app.api), app.api, app.client_id).visit(link))


def test_a_pushed_request_lives_for_a_minute(app: PushingApp, clock: ManualClock) -> None:
    """RFC 9126 §2.2, §7.2."""
    in_time, late = app.push_link(), app.push_link()
    clock.advance(timedelta(seconds=59))
    assert 'name="password"' in app.visit(in_time).text
    clock.advance(timedelta(seconds=1))
    assert_spent(app.visit(late))


def test_a_pushed_request_is_for_its_client(realm: Realm, app: PushingApp) -> None:
    """RFC 9126 §2.2, §4: named by another client, or by none, it stays what it is."""
    other = register_app(realm, "Mail").client.client_id
    request_uri = content(app.push(), 201)["request_uri"]
    assert_spent(app.visit(app.name(request_uri, client_id=other)))
    assert_spent(app.visit("/oauth/authorize?" + urlencode({"request_uri": request_uri})))
    assert 'name="password"' in app.visit(app.name(request_uri)).text


@pytest.mark.parametrize("request_uri", [PREFIX, PREFIX + "x", PREFIX + "A" * 43, PREFIX + "\N{SNOWMAN}" * 20])
def test_a_name_that_nobody_was_given_opens_nothing(app: PushingApp, request_uri: str) -> None:
    assert_spent(app.visit(app.name(request_uri)))


def test_what_the_browser_adds_does_not_count(app: PushingApp) -> None:
    """RFC 9126 §4, RFC 9101 §6.3: only what was pushed is the request."""
    link = app.push_link(scope="openid") + "&scope=openid+email&state=forged&redirect_uri=https://evil.example/"
    said = answered(app.decide(app.sign_in(app.visit(link))))
    assert said["state"] == STATE
    assert content(app.redeem(said["code"]), 200)["scope"] == "openid"


def test_what_changed_since_the_push_is_noticed(realm: Realm, app: PushingApp, clock: ManualClock) -> None:
    """Validated again at each evaluation, as a request that the browser brings."""
    page = app.visit(app.push_link())
    with realm.database.write() as tx:
        clients.disable(tx, app.client_id, clock.now())
    clock.advance(timedelta(seconds=6))
    refused = app.sign_in(page)
    assert (refused.status_code, "Location" in refused.headers) == (400, False)


def test_a_copy_of_the_database_opens_nothing(app: PushingApp, realm: Realm) -> None:
    """RFC 9126 §7.1: 256 random bits, kept as a digest."""
    request_uri = content(app.push(), 201)["request_uri"]
    secret = request_uri.removeprefix(PREFIX)
    assert len(secret) == 43
    assert secret not in repr(dump(realm))


def test_any_node_opens_what_another_one_took(app: PushingApp, realm: Realm) -> None:
    link = app.push_link()
    elsewhere = Api(realm)
    page = PushingApp(Pages(elsewhere), elsewhere, app.client_id).visit(link)
    assert 'name="password"' in page.text


def test_silence_is_answered_as_ever(app: PushingApp) -> None:
    """`prompt=none` in a pushed request."""
    said = answered(app.visit(app.push_link(prompt="none")))
    assert (said["error"], said["state"]) == ("login_required", STATE)


# --- required --------------------------------------------------------------------------------------------------------


def test_a_client_may_have_to_push(realm: Realm, api: Api, pages: Pages) -> None:
    """ASVS 10.4.13, RFC 9126 §5, §6: the browser brings nothing that counts, and the client is told."""
    client = register_app(realm, require_pushed_authorization_requests=True).client
    app = PushingApp(pages, api, client.client_id)
    app.sign_in(app.visit(app.push_link()))
    refused = answered(app.send())
    assert (refused["error"], refused["state"], refused["iss"]) == ("invalid_request", STATE, ISSUER)
    assert "code" in answered(app.decide(app.visit(app.push_link())))


# --- limits ----------------------------------------------------------------------------------------------------------


def test_a_flood_of_pushes_is_turned_away_by_address(realm: Realm) -> None:
    """RFC 9126 §2.3: anybody can push in the name of a public client. A confidential one pushes for all its users."""
    api = Api(realm, "1 per 10 minutes")
    public = PushingApp(Pages(api), api, register_app(realm).client.client_id)
    registered = register_app(realm, kind=ClientKind.CONFIDENTIAL)
    assert registered.secret is not None
    confidential = PushingApp(Pages(api), api, registered.client.client_id, registered.secret.reveal())
    answers = [public.push(code_challenge=None) for _ in range(101)]  # an address has 100 times the tries of an account
    assert {answer.status_code for answer in answers[:-1]} == {400}
    assert answers[-1].status_code == 429
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 600
    assert confidential.push().status_code == 201


def test_discovery_names_the_endpoint(api: Api) -> None:
    """RFC 9126 §5."""
    document: dict[str, Any] = json.loads(api.client.get("/.well-known/oauth-authorization-server").text)
    assert document["pushed_authorization_request_endpoint"] == f"{ISSUER}/oauth/par"
    assert document["request_uri_parameter_supported"] is False  # for documents at addresses, which nobody fetches


def test_a_page_may_push_from_a_registered_origin(realm: Realm, api: Api, pages: Pages) -> None:
    """An application in a browser pushes as it calls the token endpoint."""
    app = PushingApp(pages, api, register_app(realm, origins=("https://app.example",)).client.client_id)
    form = dict(parse_qsl(urlsplit(app.link()).query))
    response = api.client.post("/oauth/par", data=form, headers={"Origin": "https://app.example"})
    assert response.headers["Access-Control-Allow-Origin"] == "https://app.example"
    assert "Access-Control-Allow-Origin" not in app.pages.get(app.link()).headers
