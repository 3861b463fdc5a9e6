"""`/oauth/authorize`: who may be redirected where, and what the person has to do before."""

import re
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs

import pytest
from structlog.testing import capture_logs

from authserver.account.connected_apps import disconnect
from authserver.administration.manage_user import apply_event
from authserver.authentication.browser_session import find_browser_session
from authserver.authorization.authorize import authorize
from authserver.authorization.outcomes import ConsentNeeded
from authserver.authorization.pending_request import begin_pending
from authserver.credentials.events import CompromiseReported
from authserver.protocol.client_metadata import ClientKind, ConsentRule
from authserver.protocol.secret import Secret
from authserver.realm import Realm
from authserver.storage import consents
from authserver.web.pages.answers import AUTHORIZATION
from authserver.web.pages.authorize import LONGEST
from authserver.web.pages.dispatcher import CHECKS
from tests.support.people.api import Api
from tests.support.people.authorizing import CALLBACK, CHALLENGE, STATE, App, answered, claims_of, register_app
from tests.support.people.pages import Form, Pages, dump, read_page
from tests.support.people.person import BY
from tests.support.world.clock import ManualClock
from tests.support.world.realm import EMAIL, ISSUER, PASSWORD, add_user


@pytest.fixture
def app(realm: Realm, api: Api, pages: Pages) -> App:
    """An application of somebody else in a browser where nobody is signed in."""
    return App(pages, api, register_app(realm).client.client_id)


# --- the whole way ---------------------------------------------------------------------------------------------------


def test_a_person_signs_in_allows_and_the_client_gets_tokens(app: App, user_id: str) -> None:
    """OIDC Core §3.1, RFC 9207 §2, ASVS 10.4.3: `state` whole, `iss` beside it, the claims of contract §1."""
    page = app.send(nonce="n-0S6")
    assert "Notes" in read_page(page)
    consent = app.sign_in(page)
    said = answered(app.decide(consent))
    assert (said["state"], said["iss"]) == (STATE, ISSUER)
    tokens = app.redeem(said["code"]).json
    assert tokens is not None
    access, identity = claims_of(tokens["access_token"]), claims_of(tokens["id_token"])
    assert (access["sub"], access["client_id"], access["sid"]) == (user_id, app.client_id, tokens["sid"])
    assert access["aud"] == [ISSUER, f"{ISSUER}/api"]
    assert tokens["scope"] == "openid read offline_access"
    assert (identity["sub"], identity["aud"], identity["azp"]) == (user_id, app.client_id, app.client_id)
    assert (identity["nonce"], identity["sid"], identity["auth_time"]) == ("n-0S6", tokens["sid"], access["auth_time"])


def test_a_refresh_keeps_who_it_is_about(app: App, clock: ManualClock) -> None:
    """OIDC Core §12.2: the same iss, sub, aud and auth_time, and no nonce."""
    first = app.connect(nonce="once")
    clock.advance(timedelta(minutes=5))
    again = app.refresh(first["refresh_token"]).json
    assert again is not None
    before, after = claims_of(first["id_token"]), claims_of(again["id_token"])
    assert all(before[name] == after[name] for name in ("iss", "sub", "aud", "auth_time", "sid"))
    assert "nonce" not in after
    assert after["iat"] > before["iat"]


def test_without_offline_access_there_is_no_refresh_token(app: App) -> None:
    """Offline access is asked for, or a client's setting."""
    tokens = app.connect(scope="openid read")
    assert "refresh_token" not in tokens
    assert "refresh_expires_in" not in tokens


def test_a_client_may_have_offline_access_by_its_record(realm: Realm, api: Api, pages: Pages) -> None:
    client = register_app(realm, offline_access=True).client
    assert "refresh_token" in App(pages, api, client.client_id).connect(scope="read")


def test_several_clients_share_one_sign_in_with_families_of_their_own(
    realm: Realm, api: Api, pages: Pages, app: App
) -> None:
    """Single sign-on: the second client asks for consent alone; revoking its token leaves the first one's."""
    other = App(pages, api, register_app(realm, "Mail").client.client_id)
    first = app.connect()
    page = other.send()
    assert 'name="password"' not in page.text
    second = other.redeem(answered(other.decide(page))["code"]).json
    assert second is not None
    assert second["sid"] == first["sid"]
    revoked = {"token": second["refresh_token"], "client_id": other.client_id}
    assert api.client.post("/oauth/revoke", data=revoked).status_code == 200
    assert other.refresh(second["refresh_token"]).status_code == 400
    assert app.refresh(first["refresh_token"]).status_code == 200


def test_what_was_allowed_is_not_asked_again(app: App) -> None:
    """Remembered per client and scope; more scope is asked for again."""
    app.connect(scope="read offline_access")
    assert "code" in answered(app.send(scope="read offline_access"))
    assert "code" in answered(app.send(scope="read"))
    assert "See your e-mail address" in read_page(app.send(scope="read email"))


@pytest.mark.parametrize("consent", [None, ConsentRule.ALWAYS])
def test_a_native_client_never_skips_the_question(
    realm: Realm, api: Api, pages: Pages, consent: ConsentRule | None
) -> None:
    """RFC 8252 §8.6, ASVS 10.7.1: another program may pass for it; also for one of our own."""
    client = register_app(realm, kind=ClientKind.NATIVE, redirect_uris=("com.example.app:/cb",), consent=consent).client
    app = App(pages, api, client.client_id, redirect_uri="com.example.app:/cb")
    for _ in range(2):
        page = app.send()
        page = app.sign_in(page) if 'name="password"' in page.text else page
        assert 'name="decision"' in page.text
        assert "code" in answered(app.decide(page), "com.example.app:/cb")
    assert answered(app.send(prompt="none"), "com.example.app:/cb")["error"] == "consent_required"


def test_at_a_port_that_is_not_registered_the_question_is_never_skipped(realm: Realm, api: Api, pages: Pages) -> None:
    """RFC 8252 §7.3, §8.6: any program on the machine may listen there, whatever the client is."""
    registered, elsewhere = "http://127.0.0.1:3000/done", "http://127.0.0.1:6666/done"
    client = register_app(realm, "Ours", first_party=True, redirect_uris=(registered,)).client
    app = App(pages, api, client.client_id, redirect_uri=registered)
    assert "code" in answered(app.sign_in(app.send()), registered)
    app.redirect_uri = elsewhere
    assert answered(app.send(prompt="none"), elsewhere)["error"] == "consent_required"
    assert "code" in answered(app.decide(app.send()), elsewhere)
    assert answered(app.send(prompt="none"), elsewhere)["error"] == "consent_required"


def test_the_question_says_who_wants_what_for_how_long(app: App) -> None:
    """ASVS 10.7.2: the client, each scope and the lifetime, in words."""
    asked = read_page(app.sign_in(app.send(scope="openid email")))
    assert "Notes" in asked
    assert "See your e-mail address" in asked
    assert "It can use this for 5 minutes" in asked
    assert "It stays connected for up to 90 days" in read_page(app.send(scope="openid email offline_access"))


def test_a_native_client_needs_a_challenge_as_well(realm: Realm, api: Api, pages: Pages) -> None:
    """RFC 8252 §6: it has no secret, and another app may get its answer."""
    client = register_app(realm, kind=ClientKind.NATIVE, redirect_uris=("com.example.app:/cb",)).client
    app = App(pages, api, client.client_id, redirect_uri="com.example.app:/cb")
    said = answered(app.send(code_challenge=None, code_challenge_method=None, prompt="none"), "com.example.app:/cb")
    assert said["error"] == "invalid_request"


def test_our_own_client_asks_for_no_consent(realm: Realm, api: Api, pages: Pages) -> None:
    client = register_app(realm, first_party=True).client
    app = App(pages, api, client.client_id)
    assert "code" in answered(app.sign_in(app.send()))


def test_one_request_is_answered_with_one_code(app: App) -> None:
    """A button that is pressed twice: the browser follows the second answer, and the code of the first is none."""
    page = app.sign_in(app.send())
    first, second = answered(app.decide(page))["code"], answered(app.decide(page))["code"]
    assert first != second
    assert app.redeem(first).status_code == 400
    tokens = app.redeem(second)
    assert tokens.status_code == 200
    late = app.decide(page)
    assert (late.status_code, "Location" in late.headers) == (409, False)
    assert "Go back to the app" in read_page(late)
    assert app.refresh(tokens.get_json()["refresh_token"]).status_code == 200
    # Another request is another one.
    assert "code" in answered(app.send())


def test_who_does_not_allow_it_gives_nothing(app: App, realm: Realm) -> None:
    page = app.sign_in(app.send())
    assert answered(app.decide(page, "deny")) == {"error": "access_denied", "state": STATE, "iss": ISSUER}
    with realm.database.read() as tx:
        assert tx.exec_driver_sql("SELECT count(*) FROM consents").scalar_one() == 0


def test_the_answer_can_come_as_a_form(app: App) -> None:
    """OAuth 2.0 Form Post Response Mode: a form to the redirect URI with the answer in hidden fields."""
    page = app.decide(app.sign_in(app.send(response_mode="form_post")))
    form = Form(page.text)
    assert (page.status_code, form.action) == (200, CALLBACK)
    assert (form.values["state"], form.values["iss"]) == (STATE, ISSUER)
    assert "form-action" not in page.headers["Content-Security-Policy"]
    assert app.redeem(form.values["code"]).status_code == 200


def test_the_answer_can_come_in_the_fragment(app: App) -> None:
    """OAuth 2.0 Multiple Response Type Encoding Practices §2.1: the code is in no log of the application's host."""
    said = app.decide(app.sign_in(app.send(response_mode="fragment"))).headers["Location"]
    base, _, fragment = said.partition("#")
    told = parse_qs(fragment, strict_parsing=True)
    assert (base, told["state"], told["iss"]) == (CALLBACK, [STATE], [ISSUER])
    assert app.redeem(told["code"][0]).status_code == 200
    refused = app.send(response_mode="fragment", prompt="none", resource="https://elsewhere.example")
    assert refused.headers["Location"].startswith(f"{CALLBACK}#error=invalid_target&")


def test_scopes_that_nobody_here_understands_are_ignored(app: App) -> None:
    """OIDC Core §3.1.2.1; the token answer says what was granted (RFC 6749 §5.1)."""
    assert app.connect(scope="openid groups https://graph.example/read read")["scope"] == "openid read"


# --- a new account ----------------------------------------------------------------------------------------------------


def test_an_application_may_send_somebody_who_is_to_register(app: App, user_id: str, clock: ManualClock) -> None:
    """OpenID Connect Prompt Create 1.0: to the page for it, also where somebody is signed in; then on as always."""
    assert user_id
    app.authorize()
    clock.advance(timedelta(seconds=1))
    page = app.send(prompt="create", scope="read")
    form = Form(page.text)
    assert (form.action, "name" in form.fields) == ("/signup", True)
    typed = {"email": "new@example.net", "password": "an entirely new phrase"}
    welcome = app.pages.post("/signup", None, **{**form.values, **typed})
    assert welcome.status_code == 200
    sign_in = app.pages.get(re.findall(r'href="(/login[^"]*)"', welcome.text)[0].replace("&amp;", "&"))
    page = app.sign_in(sign_in, typed["email"], typed["password"])
    tokens = app.redeem(answered(app.decide(page))["code"]).json
    assert tokens is not None
    assert claims_of(tokens["access_token"])["sub"] != user_id


def test_where_registration_is_closed_who_is_to_register_signs_in(realm: Realm) -> None:
    closed = Api(replace(realm, registration=replace(realm.registration, open=False)))
    app = App(Pages(closed), closed, register_app(realm).client.client_id)
    assert 'name="password"' in app.send(prompt="create").text
    assert Form(app.send(prompt="create").text, "password").action == "/login"


# --- whom nobody is sent to -------------------------------------------------------------------------------------------


def test_a_refused_redirect_is_named_in_the_log_and_not_on_the_page(app: App) -> None:
    """Without it nobody finds out what a client sends that was never registered."""
    uri = "https://app.example/calback"
    with capture_logs() as logs:
        page = app.send(redirect_uri=uri)
    (refused,) = (entry for entry in logs if entry["event"] == "authorization_refused")
    assert (refused["client_id"], refused["redirect_uri"]) == (app.client_id, uri)
    assert uri not in page.text
    assert app.client_id not in page.text


HOSTILE_REDIRECTS = [
    "https://app.example/callback/",
    "https://app.example/callback?x=1",
    "https://app.example/callback#f",
    "https://app.example/Callback",
    "https://app.example:443/callback",
    "https://app.example/callback/../evil",
    "https://app.example/%63allback",
    "https://app.example.evil.example/callback",
    "https://evil.example/callback",
    "https://app.example@evil.example/callback",
    "https://app.example%2eevil.example/callback",
    "https://evil.example\\@app.example/callback",
    "https://app.example/callback%0d%0aSet-Cookie:x=1",
    "http://app.example/callback",
    "HTTPS://app.example/callback",
    "//app.example/callback",
    "/callback",
    "javascript:alert(1)",
    "data:text/html,x",
    " https://app.example/callback",
    "https://app.example/callback ",
    "https://app.example/callback\x00",
    "https://*.example/callback",
    "https://\u0430pp.example/callback",
]


@pytest.mark.parametrize("redirect_uri", [*HOSTILE_REDIRECTS, None, ""])
@pytest.mark.parametrize("prompt", [None, "none"])
def test_nobody_is_sent_to_what_is_not_registered(app: App, redirect_uri: str | None, prompt: str | None) -> None:
    """ASVS 10.4.1, RFC 9700 §2.1, §4.11.2: a page of ours, and no Location."""
    response = app.pages.get(app.link(redirect_uri=redirect_uri, prompt=prompt))
    assert response.status_code == 400
    assert "Location" not in response.headers
    assert "evil" not in response.text


def test_nobody_is_sent_for_a_client_that_is_not_one(app: App, realm: Realm) -> None:
    """RFC 6749 §4.1.2.1: unknown, absent, repeated, of a kind that gets no codes."""
    api_client = register_app(realm, "API", kind=ClientKind.RESOURCE_SERVER, redirect_uris=()).client
    for link in (
        app.link(client_id="unknown"),
        app.link(client_id=None),
        app.link() + f"&client_id={app.client_id}",
        app.link() + "&redirect_uri=https://evil.example/",
        app.link(client_id=api_client.client_id),
        app.link(client_id="\x00"),
    ):
        response = app.pages.get(link)
        assert response.status_code == 400, link
        assert "Location" not in response.headers


# --- what the client is told -----------------------------------------------------------------------------------------

REFUSED: dict[str, tuple[dict[str, str | None], str]] = {
    "no response type": ({"response_type": None}, "invalid_request"),
    "implicit": ({"response_type": "token"}, "unsupported_response_type"),
    "hybrid": ({"response_type": "code id_token"}, "unsupported_response_type"),
    "none": ({"response_type": "none"}, "unsupported_response_type"),
    "jarm": ({"response_mode": "query.jwt"}, "invalid_request"),
    "no challenge": ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
    "plain": ({"code_challenge_method": "plain"}, "invalid_request"),
    "method left out, which means plain": ({"code_challenge_method": None}, "invalid_request"),
    "method in lower case": ({"code_challenge_method": "s256"}, "invalid_request"),
    "challenge too short": ({"code_challenge": CHALLENGE[:-1]}, "invalid_request"),
    "challenge too long": ({"code_challenge": CHALLENGE + "A"}, "invalid_request"),
    "challenge with padding": ({"code_challenge": CHALLENGE + "="}, "invalid_request"),
    "challenge in other characters": ({"code_challenge": "+" * 43}, "invalid_request"),
    "unregistered scope": ({"scope": "openid admin"}, "invalid_scope"),
    "no scope that is understood": ({"scope": "unheard of"}, "invalid_scope"),
    "malformed scope": ({"scope": "a  b"}, "invalid_request"),
    "unknown resource": ({"resource": "https://elsewhere.example"}, "invalid_target"),
    "prompt none and another": ({"prompt": "none login"}, "invalid_request"),
    "unknown prompt": ({"prompt": "signup"}, "invalid_request"),
    "negative age": ({"max_age": "-1"}, "invalid_request"),
    "fractional age": ({"max_age": "1.5"}, "invalid_request"),
    "request object": ({"request": "e30."}, "request_not_supported"),
    "request uri": ({"request_uri": "https://app.example/r"}, "request_uri_not_supported"),
    "registration": ({"registration": "{}"}, "registration_not_supported"),
    "claims that are none": ({"claims": "{"}, "invalid_request"),
    "essential acr that nobody reaches": (
        {"claims": '{"id_token":{"acr":{"essential":true,"values":["urn:example:gold"]}}}'},
        "unmet_authentication_requirements",
    ),
    "key binding that is none": ({"dpop_jkt": "x" * 42}, "invalid_request"),
}


@pytest.mark.parametrize(("parameters", "error"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_done_is_said_to_the_client(app: App, parameters: dict[str, str | None], error: str) -> None:
    """ASVS 10.4.6, 10.4.12, 10.6.1, 9.2.4, RFC 7636 §4.2, §4.3, §4.4.1, RFC 9700 §2.1.2: with `state`, `iss`."""
    app.authorize()
    said = answered(app.send(**parameters))
    assert (said["error"], said["state"], said["iss"]) == (error, STATE, ISSUER)
    assert "code" not in said


def test_a_stranger_is_asked_who_he_is_before_he_is_sent_on_with_an_error(app: App, realm: Realm, api: Api) -> None:
    """RFC 9700 §4.11.2: or a hostile client could use us to redirect. Not for our own clients, and not silently."""
    assert 'name="password"' in app.send(scope="unknown").text
    assert answered(app.send(scope="unknown", prompt="none"))["error"] == "invalid_scope"
    own = App(app.pages, api, register_app(realm, "Own", first_party=True).client.client_id)
    assert answered(own.send(scope="unknown"))["error"] == "invalid_scope"


def test_a_parameter_that_is_repeated_is_refused(app: App) -> None:
    """RFC 6749 §3.1; `resource` alone may be repeated (RFC 8707 §2)."""
    app.authorize()
    assert answered(app.pages.get(app.link() + "&scope=read"))["error"] == "invalid_request"
    resource = f"&resource={ISSUER}/api"
    page = app.pages.get(app.link(scope="read") + resource + resource)
    assert "code" in answered(page)


@pytest.mark.parametrize("state", ["", None, "x" * 2000, "a b+c%20d&e=f#g\"<>'\\", "ä\u2028\U0001f512", "?code=evil"])
def test_state_comes_back_unchanged(app: App, state: str | None) -> None:
    """RFC 6749 §4.1.2; absent or empty it stays away."""
    app.authorize()
    assert answered(app.send(state=state)).get("state", "") == (state or "")


def test_a_request_is_refused_at_the_first_step_or_passes_all_of_them(app: App) -> None:
    """Our pages carry it on in their address, and proxies take 8 KiB of a first line (nginx: 414 beyond)."""
    length = LONGEST - len(app.link(state="").partition("?")[2])
    page = app.send(state="x" * length)
    assert len(page.request.url) < 7500
    assert 'name="password"' in page.text
    assert answered(app.decide(app.sign_in(page)))["state"] == "x" * length
    assert app.send(state="x" * (length + 1)).status_code == 400


# --- what the person has to do ----------------------------------------------------------------------------------------


def test_without_a_session_nothing_happens_silently(app: App) -> None:
    """ASVS 7.6.1, 7.6.2, OIDC Core §3.1.2.6."""
    assert answered(app.send(prompt="none"))["error"] == "login_required"


def test_silently_only_what_was_allowed(app: App) -> None:
    app.sign_in(app.send())
    assert answered(app.send(prompt="none"))["error"] == "consent_required"
    app.decide(app.send())
    assert "code" in answered(app.send(prompt="none"))


def test_prompt_login_asks_for_the_password_again(app: App, clock: ManualClock) -> None:
    """OIDC Core §3.1.2.1; the page that is opened again later does not forget it."""
    first = app.connect()
    clock.advance(timedelta(minutes=5))
    page = app.send(prompt="login")
    assert 'name="password"' in page.text
    assert 'name="password"' in app.send(prompt="login").text
    tokens = app.redeem(answered(app.sign_in(page))["code"]).json
    assert tokens is not None
    assert tokens["sid"] == first["sid"]
    assert claims_of(tokens["id_token"])["auth_time"] == claims_of(first["id_token"])["auth_time"] + 300


@pytest.mark.parametrize(("max_age", "asks"), [("0", True), ("299", True), ("301", False)])
def test_max_age_is_kept(app: App, clock: ManualClock, max_age: str, asks: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """ASVS 7.6.1, OIDC Core §3.1.2.1, RFC 9470 §4: who proved it longer ago is asked, once."""
    app.authorize()
    clock.advance(timedelta(seconds=300))
    page = app.send(max_age=max_age)
    assert ('name="password"' in page.text) is asks
    assert "code" in answered(app.sign_in(page) if asks else page)


@pytest.mark.parametrize("asked", [{"max_age": "0"}, {"prompt": "login"}])
def test_a_proof_by_a_clock_that_is_ahead_is_no_proof_for_a_later_request(
    app: App, clock: ManualClock, asked: dict[str, str]
) -> None:
    """The sign-in was at a node whose clock is 5 s ahead: an age below nothing is inside no window."""
    app.authorize()
    clock.set_wall(clock.now() - timedelta(seconds=5))
    page = app.send(**asked)
    assert 'name="password"' in page.text
    clock.advance(timedelta(seconds=6))
    assert "code" in answered(app.sign_in(page))


@pytest.mark.parametrize("asked", [{"max_age": "600"}, {"prompt": "login"}])
def test_a_sign_in_that_is_still_to_come_is_no_recent_one(app: App, clock: ManualClock, asked: dict[str, str]) -> None:
    """Somebody signed in while the clock was ten years ahead. Without `max_age` the session is as good as any."""
    right = clock.now()
    clock.set_wall(right + timedelta(days=3650))
    app.authorize()
    clock.set_wall(right)
    assert 'name="password"' in app.send(**asked).text
    assert "code" in answered(app.send())


def test_an_account_is_chosen(app: App, clock: ManualClock) -> None:
    """`prompt=select_account`: go on as who is signed in, without a password."""
    app.authorize()
    clock.advance(timedelta(seconds=1))
    page = app.send(prompt="select_account")
    form = Form(page.text)
    assert EMAIL in read_page(page)
    chosen = app.follow(app.pages.post("/login", None, **form.values, choice="continue"))
    assert "code" in answered(chosen)
    assert answered(app.send(prompt="none"))["code"]


def test_another_account_ends_the_session_of_the_first(app: App, realm: Realm) -> None:
    """One browser, one user; what the first one's apps held there is dead."""
    first = app.connect()
    add_user(realm, "bob@example.org")
    page = app.pages.get("/login?choice=other")
    form = Form(page.text, "password")
    app.pages.post("/login", None, **{**form.values, "email": "bob@example.org", "password": PASSWORD})
    assert app.refresh(first["refresh_token"]).status_code == 400
    assert 'name="decision"' in app.send().text


def test_a_hint_names_who_is_meant(app: App, realm: Realm) -> None:
    """OIDC Core §3.1.2.1, §3.1.2.2: another user is never answered for him; a forged hint names nobody."""
    mine = app.connect()["id_token"]
    assert "code" in answered(app.send(id_token_hint=mine, prompt="none"))
    assert answered(app.send(id_token_hint=mine[:-4] + "AAAA", prompt="none"))["error"] == "login_required"
    add_user(realm, "bob@example.org")
    form = Form(app.pages.get("/login?choice=other").text, "password")
    app.pages.post("/login", None, **{**form.values, "email": "bob@example.org", "password": PASSWORD})
    assert answered(app.send(id_token_hint=mine, prompt="none"))["error"] == "login_required"


@pytest.mark.parametrize("damage", [False, True], ids=["another user", "a key that is gone"])
def test_a_hint_that_nobody_can_meet_ends_with_an_error(
    app: App,
    realm: Realm,
    clock: ManualClock,
    damage: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """OIDC Core §3.1.2.2: who has proved that he is not the one who is meant is not asked for ever."""
    mine = app.connect()["id_token"]
    hint = mine[:-4] + "AAAA" if damage else mine
    add_user(realm, "bob@example.org")
    clock.advance(timedelta(seconds=1))
    sign_in_as(app, "bob@example.org")
    clock.advance(timedelta(seconds=1))
    asked = app.send(id_token_hint=hint)
    clock.advance(timedelta(seconds=1))
    assert answered(app.sign_in(asked, "bob@example.org"))["error"] == "login_required"


@pytest.mark.parametrize("decision", ["allow", "deny"])
@pytest.mark.parametrize("knows", [False, True], ids=["first time", "allowed before"])
def test_what_one_user_is_asked_another_does_not_answer(
    app: App,
    realm: Realm,
    user_id: str,
    decision: str,
    knows: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """RFC 9700 §4.16: the page names who allows it; whoever signed in since in another tab is asked himself."""
    bob = add_user(realm, "bob@example.org")
    if knows:
        answered(app.decide(app.sign_in(app.send(), "bob@example.org")))
    sign_in_as(app, EMAIL)
    for_ada = app.send()
    assert EMAIL in read_page(for_ada)
    sign_in_as(app, "bob@example.org")
    for_bob = app.decide(for_ada, decision)
    assert for_bob.status_code == 200
    assert "bob@example.org" in read_page(for_bob)
    tokens = app.redeem(answered(app.decide(for_bob))["code"]).json
    assert tokens is not None
    assert claims_of(tokens["access_token"])["sub"] == bob != user_id


def sign_in_as(app: App, email: str) -> None:
    form = Form(app.pages.get("/login?choice=other").text, "password")
    app.pages.post("/login", None, **{**form.values, "email": email, "password": PASSWORD})


def test_what_is_taken_back_meanwhile_gives_no_code(app: App, realm: Realm) -> None:
    """ASVS 10.7.3: consent is looked up where the code is made; taken back just before, it is asked for again."""
    app.authorize()
    browser = find_browser_session(realm, Secret(app.pages.cookie("authserver")))
    assert browser is not None
    ended: list[object] = []

    def take_back_first(length: int) -> bytes:
        """The code is drawn after the first look at the consent and before the transaction."""
        if not ended:
            ended.append(disconnect(realm, browser, app.client_id, "::1"))
        return realm.entropy(length)

    slow = replace(realm, entropy=take_back_first)
    pending = begin_pending(realm, app.link().partition("?")[2], AUTHORIZATION.name)
    assert isinstance(authorize(slow, pending, browser, CHECKS, ip="::1"), ConsentNeeded)
    assert ended == [0]


def test_login_hint_and_language_reach_the_page(app: App) -> None:
    page = app.send(login_hint="ada@example.com", ui_locales="fr de")
    assert Form(page.text, "password").values["email"] == "ada@example.com"
    assert 'lang="de"' in page.text


def test_a_request_does_not_wait_for_ever(app: App, clock: ManualClock) -> None:
    page = app.send()
    clock.advance(timedelta(hours=1))
    assert app.sign_in(page).status_code == 400


def test_a_request_that_was_changed_on_the_way_is_none(app: App) -> None:
    """What was asked cannot be shortened: `prompt=login` stays."""
    token = Form(app.send().text, "password").values["request"]
    for changed in (
        token[:-1],
        "x" + token,
        token.replace(".", "", 1),
        token[:60] + "A" + token[61:],
        "a.b.c.d.e",
        "ü",
    ):
        assert app.pages.get(f"/login?request={changed}").status_code == 400, changed
        assert app.pages.get(f"/consent?request={changed}").status_code == 400, changed


# --- how pages behave ------------------------------------------------------------------------------------------------


def test_a_wrong_password_says_no_more_than_that(app: App) -> None:
    """ASVS 6.3.8: an unknown address and a wrong password look the same."""
    texts = []
    for email in (EMAIL, "nobody@example.org"):
        response = app.sign_in(app.send(), email, "wrong password")
        assert response.status_code == 401
        texts.append(read_page(response))
    assert texts[0] == texts[1]


def test_after_the_password_the_browser_is_sent_with_see_other(app: App) -> None:
    """RFC 9700 §4.12: 303, never 307."""
    form = Form(app.send().text, "password")
    response = app.pages.post("/login", None, **{**form.values, "email": EMAIL, "password": PASSWORD})
    assert response.status_code == 303


def test_the_cookie_changes_at_every_sign_in(app: App, clock: ManualClock) -> None:
    """ASVS 7.2.4: the one before opens nothing any more."""
    page = app.send()
    app.sign_in(page)
    before = app.pages.cookie("authserver")
    clock.advance(timedelta(seconds=1))
    app.sign_in(app.send(prompt="login"))
    after = app.pages.cookie("authserver")
    assert before != after
    app.pages.set_cookie("authserver", before)
    assert answered(app.send(prompt="none"))["error"] == "login_required"


def test_no_other_site_reads_or_frames_it(app: App) -> None:
    """RFC 9700 §2.6, §4.16, ASVS 3.4.2, 3.4.6: no CORS, no frame."""
    response = app.pages.get(app.link(), None, Origin="https://app.example")
    preflight = app.api.client.options(app.link(), headers={"Origin": "https://app.example"})
    for answer in (response, preflight, app.send()):
        assert "Access-Control-Allow-Origin" not in answer.headers
    assert "frame-ancestors 'none'" in app.send().headers["Content-Security-Policy"]


def test_looking_gives_no_code_and_changes_nothing(app: App, realm: Realm) -> None:
    """ASVS 3.5.3: neither the sign-in page nor the question."""
    page = app.sign_in(app.send())
    before = dump(realm)
    token = Form(page.text).values["request"]
    for path in ("/login", "/consent"):
        app.pages.get(f"{path}?request={token}")
    app.send(prompt="login")
    assert dump(realm) == before


@pytest.mark.parametrize(
    "hostile",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "/account/../evil",
        "/accounts",
        "/account?x=1",
        "javascript:alert(1)",
        "/oauth/logout",
        "/login",
        "/account\r\nSet-Cookie: x=1",
        "/account/sessions/",
        "",
    ],
)
def test_a_sign_in_leads_nowhere_but_to_the_account(pages: Pages, hostile: str) -> None:
    """`next` is one of our own pages by its exact name, or is not at all."""
    form = Form(pages.get("/login").text, "password")
    typed = {**form.values, "next": hostile, "email": EMAIL, "password": PASSWORD}
    response = pages.post("/login", None, **typed)
    assert (response.status_code, response.headers["Location"]) == (303, "/account")


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "127.0.0.1:8000@evil.example"])
def test_the_host_header_is_worth_nothing(app: App, host: str) -> None:
    """Addresses come from ISSUER, or are without a host."""
    response = app.pages.get(app.link(), None, Host=host, **{"X-Forwarded-Host": host})
    assert "evil" not in response.headers.get("Location", "")
    assert "evil" not in app.follow(response).text


def test_a_browser_that_was_closed_goes_on_in_its_session(app: App, clock: ManualClock) -> None:
    """The cookie goes with the browser, the device stays: what its apps hold lives, and the session is the same."""
    first = app.connect()
    app.pages.forget_cookie("authserver")
    clock.advance(timedelta(days=1))
    again = app.connect()
    assert again["sid"] == first["sid"]
    assert app.refresh(first["refresh_token"]).status_code == 200


def test_what_was_allowed_is_forgotten_when_a_theft_is_reported(app: App, realm: Realm, user_id: str) -> None:
    """It may have been the thief who allowed it."""
    app.connect()
    event = CompromiseReported(user_id, EMAIL, link_issued_at=realm.clock.now())
    apply_event(realm, user_id, event, by=BY)
    with realm.database.read() as tx:
        assert consents.find(tx, user_id, app.client_id) is None


def test_a_device_is_known_by_its_id_to_nobody_but_our_own_apps(realm: Realm, api: Api, app: App) -> None:
    """The id keeps strangers from locking its owner out (ASVS 6.1.1); others get a name for it, always the same."""
    theirs = [app.connect()["device_id"] for _ in range(2)]
    own = App(app.pages, api, register_app(realm, "Own", first_party=True).client.client_id).connect()["device_id"]
    assert own == app.pages.cookie("authserver-device")
    assert theirs[0] == theirs[1] != own


def test_a_request_by_form_finds_who_is_signed_in(app: App) -> None:
    """OIDC Core §3.1.2.1: browsers bring no Lax cookie with another site's form, so it goes on as a GET."""
    app.authorize()
    link = app.link(prompt="none", state=None)
    path, _, query = link.partition("?")
    response = app.pages.post_raw(path, query, {"Origin": "https://app.example", "Sec-Fetch-Site": "cross-site"})
    assert (response.status_code, response.headers["Location"]) == (303, link)
    assert "code" in answered(app.follow(response))
    for body in ("", "x" * 5001, "a=b c", "a=b\r\nSet-Cookie: x=1"):
        assert app.pages.post_raw(path, body, {}).status_code == 400
