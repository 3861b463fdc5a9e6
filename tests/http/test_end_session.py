"""`/oauth/logout` and `/logout` (OpenID Connect RP-Initiated Logout): who may end a session, and where it leads."""

from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from structlog.testing import capture_logs
from werkzeug.test import TestResponse

from authserver.clients.client_standing import disable_client
from authserver.credentials.events import UserLocked
from authserver.protocol.client_metadata import ClientKind
from authserver.realm import Realm
from authserver.records.audit import Actor
from tests.support.people.api import Api, content
from tests.support.people.authorizing import App, answered, claims_of, register_app
from tests.support.people.credentials import Tokens, carry_out
from tests.support.people.pages import Form, Pages, dump, read_page
from tests.support.world.clock import ManualClock
from tests.support.world.realm import EMAIL, ISSUER, add_user

PATH = "/oauth/logout"
GOODBYE = "https://app.example/goodbye"
STATE = "a & b = ü/%"


@pytest.fixture
def app(realm: Realm, api: Api, pages: Pages) -> App:
    """An application that wants its people back after they signed out."""
    return App(pages, api, register_app(realm, post_logout_redirect_uris=(GOODBYE,)).client.client_id)


@pytest.fixture
def tokens(app: App) -> Tokens:
    """What the application holds. The browser is signed in."""
    return app.connect()


def link(**parameters: str) -> str:
    return f"{PATH}?{urlencode(parameters)}"


def is_signed_in(app: App) -> bool:
    """Whether the application would get a code without anybody being asked."""
    response = app.send(prompt="none")
    return "error=login_required" not in response.headers["Location"]


def assert_asks(response: TestResponse) -> Form:
    assert response.status_code == 200, response.text
    assert "Sign out?" in read_page(response)
    return Form(response.text)


def assert_ended(app: App, tokens: Tokens) -> None:
    """The session is over in the browser, and for every application in it."""
    assert not is_signed_in(app)
    refused = app.refresh(tokens["refresh_token"])
    assert refused.json is not None
    assert (refused.status_code, refused.json["error"]) == (400, "invalid_grant")


def takes_back(response: TestResponse) -> bool:
    """Whether the browser is told to forget its session."""
    cookies = [cookie for cookie in response.headers.getlist("Set-Cookie") if cookie.startswith("authserver=;")]
    return any("Max-Age=0" in cookie for cookie in cookies)


# --- at once ---------------------------------------------------------------------------------------------------------


def test_an_id_token_of_the_session_ends_it_with_all_its_families(
    realm: Realm, api: Api, pages: Pages, app: App, tokens: Tokens
) -> None:
    """RP-Initiated Logout §2, §3; the other application of the browser is signed out, too."""
    other = App(pages, api, register_app(realm, "Mail").client.client_id)
    others = other.connect()
    response = pages.get(
        link(id_token_hint=tokens["id_token"], post_logout_redirect_uri=GOODBYE, state=STATE, client_id=app.client_id)
    )
    assert response.status_code == 303
    assert response.headers["Location"] == f"{GOODBYE}?{urlencode({'state': STATE})}"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert takes_back(response)
    assert_ended(app, tokens)
    assert_ended(other, others)


def test_without_an_address_to_return_to_there_is_a_page_of_ours(pages: Pages, app: App, tokens: Tokens) -> None:
    response = pages.get(link(id_token_hint=tokens["id_token"]))
    assert "You are signed out" in read_page(response)
    assert_ended(app, tokens)


def test_an_id_token_is_good_for_signing_out_after_it_has_expired(
    pages: Pages, app: App, tokens: Tokens, clock: ManualClock
) -> None:
    """RP-Initiated Logout §2."""
    clock.advance(timedelta(hours=2))
    assert "You are signed out" in read_page(pages.get(link(id_token_hint=tokens["id_token"])))
    assert_ended(app, tokens)


def test_a_pairwise_client_is_understood(realm: Realm, api: Api, pages: Pages) -> None:
    """OpenID Connect Core §8: its hint names the user as it knows him."""
    app = App(pages, api, register_app(realm, pairwise=True).client.client_id)
    tokens = app.connect()
    assert "You are signed out" in read_page(pages.get(link(id_token_hint=tokens["id_token"])))
    assert_ended(app, tokens)


def test_the_sign_out_is_recorded(realm: Realm, pages: Pages, tokens: Tokens) -> None:
    """ASVS 16.3.1."""
    pages.get(link(id_token_hint=tokens["id_token"]))
    assert any("authn_logout" in str(row) or "signed_out" in str(row) for row in dump(realm))


# --- asking ----------------------------------------------------------------------------------------------------------

Forge = Callable[["Case"], dict[str, str]]


class Case:
    """What an attacker may have in his hands."""

    def __init__(self, realm: Realm, api: Api, app: App, tokens: Tokens) -> None:
        """Of another user, too, and of an earlier session of the same."""
        self.app, self.tokens = app, tokens
        add_user(realm, "eve@example.test")
        self.eve = self._elsewhere(api, "eve@example.test")
        self.earlier = self._elsewhere(api, EMAIL)
        self.other = register_app(realm, "Mail", post_logout_redirect_uris=("https://mail.example/bye",)).client

    def _elsewhere(self, api: Api, email: str) -> Tokens:
        """What the application got in another browser."""
        app = App(Pages(api), api, self.app.client_id)
        response = app.sign_in(app.send(), email)
        if 'name="decision"' in response.text:
            response = app.decide(response)
        return content(app.redeem(answered(response)["code"]), 200)


def _unsigned(case: Case) -> str:
    return str(case.tokens["id_token"]).rpartition(".")[0] + "."


FORGED: dict[str, Forge] = {
    "nothing": lambda _: {},
    "client alone": lambda case: {"client_id": case.app.client_id},
    "hint of another user": lambda case: {"id_token_hint": case.eve["id_token"]},
    "hint of another session": lambda case: {"id_token_hint": case.earlier["id_token"]},
    "access token as hint": lambda case: {"id_token_hint": case.tokens["access_token"]},
    "unsigned hint": lambda case: {"id_token_hint": _unsigned(case)},
    "changed hint": lambda case: {"id_token_hint": case.tokens["id_token"][:-4] + "AAAA"},
    "no token": lambda _: {"id_token_hint": "x"},
    "client of another name": lambda case: {
        "id_token_hint": case.tokens["id_token"],
        "client_id": case.other.client_id,
    },
    "unknown client": lambda case: {"id_token_hint": case.tokens["id_token"], "client_id": "nobody"},
    "logout_hint": lambda _: {"logout_hint": EMAIL},
}


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
def test_no_page_of_another_site_can_end_a_session(
    realm: Realm, api: Api, pages: Pages, app: App, tokens: Tokens, forge: Forge
) -> None:
    """ASVS 10.6.2, 3.5.1: without an ID token of this very session the person is asked, and nothing happened yet."""
    parameters = forge(Case(realm, api, app, tokens))
    before = dump(realm)
    assert_asks(pages.get(link(**parameters)))
    assert_asks(app.follow(pages.post_bare(PATH, {"Origin": "https://evil.example"}, **parameters)))
    assert dump(realm) == before
    assert is_signed_in(app)


def test_a_clients_form_needs_no_token_of_ours(pages: Pages, app: App, tokens: Tokens) -> None:
    """RP-Initiated Logout §2: GET and POST; the browser brings its session with the GET that follows."""
    hint = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": GOODBYE, "state": STATE}
    response = pages.post_bare(PATH, {"Origin": "https://app.example"}, **hint)
    assert response.status_code == 303
    assert response.headers["Location"].startswith(f"{PATH}?")
    assert app.follow(response).headers["Location"] == f"{GOODBYE}?{urlencode({'state': STATE})}"
    assert_ended(app, tokens)


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
def test_a_foreign_form_cannot_press_the_button(
    pages: Pages, app: App, tokens: Tokens, headers: dict[str, str]
) -> None:
    """ASVS 3.5.1: also with everything else that our own form holds."""
    fields = {"client_id": app.client_id, "decision": "sign_out", "csrf_token": pages.find_token()}
    assert_asks(app.follow(pages.post_bare(PATH, headers, **fields)))
    assert is_signed_in(app)
    assert app.refresh(tokens["refresh_token"]).status_code == 200


def test_our_form_without_the_token_of_this_browser_asks_again(pages: Pages, app: App, tokens: Tokens) -> None:
    for token in ("", "x", Form(Pages(app.api).get("/forgot").text).values["csrf_token"]):
        response = pages.post_bare(PATH, {"Origin": ISSUER}, decision="sign_out", csrf_token=token)
        assert_asks(app.follow(response))
    assert is_signed_in(app)
    assert tokens


def test_a_person_who_says_yes_is_signed_out_and_sent_back(pages: Pages, app: App, tokens: Tokens) -> None:
    page = pages.get(link(client_id=app.client_id, post_logout_redirect_uri=GOODBYE, state=STATE))
    form = assert_asks(page)
    assert "Notes asks to sign you out" in read_page(page)
    # Whatever follows at the application: browsers apply the policy to every redirect after a form.
    assert "form-action" not in page.headers["Content-Security-Policy"]
    response = pages.post(form.action, None, **form.values, decision="sign_out")
    assert response.headers["Location"] == f"{GOODBYE}?{urlencode({'state': STATE})}"
    assert takes_back(response)
    assert_ended(app, tokens)


def test_a_person_who_says_no_stays(realm: Realm, pages: Pages, app: App, tokens: Tokens) -> None:
    form = assert_asks(pages.get(link(client_id=app.client_id, post_logout_redirect_uri=GOODBYE)))
    before = dump(realm)
    response = pages.post(form.action, None, **form.values, decision="stay")
    assert (response.status_code, response.headers["Location"]) == (303, "/account")
    assert dump(realm) == before
    assert is_signed_in(app)
    assert tokens


# --- back to the client ----------------------------------------------------------------------------------------------

HOSTILE = [
    "https://evil.example/",
    "https://app.example",
    "https://app.example/",
    "https://app.example/goodbye/",
    "https://app.example/goodbye/..",
    "https://app.example/goodbye?x=1",
    "https://app.example/goodbye#x",
    "https://app.example/Goodbye",
    "https://app.example/callback",
    "https://app.example:443/goodbye",
    "https://app.example.evil.example/goodbye",
    "https://app.example@evil.example/goodbye",
    "https://evil.example/https://app.example/goodbye",
    "https://evil.example\\@app.example/goodbye",
    "https://app.example%2f@evil.example/goodbye",
    "http://app.example/goodbye",
    "HTTPS://app.example/goodbye",
    "//app.example/goodbye",
    "/goodbye",
    "goodbye",
    "javascript:alert(1)//https://app.example/goodbye",
    "data:text/html,x",
    "com.example.app:/goodbye",
    "https://app.example/goodbye\r\nSet-Cookie: x=1",
    " https://app.example/goodbye",
    "https://app.example/goodbye ",
    "https://ap\u0440.example/goodbye",
    "https://mail.example/bye",
    f"{GOODBYE} https://evil.example/",
]


@pytest.mark.parametrize("uri", HOSTILE)
def test_nobody_is_redirected_where_the_client_registered_nothing(
    realm: Realm, pages: Pages, app: App, tokens: Tokens, uri: str
) -> None:
    """RP-Initiated Logout §3, ASVS 10.6.2, RFC 9700 §4.11: exact comparison; the person still is signed out."""
    register_app(realm, "Mail", post_logout_redirect_uris=("https://mail.example/bye",))
    response = pages.get(link(id_token_hint=tokens["id_token"], post_logout_redirect_uri=uri, state="x"))
    assert (response.status_code, "Location" in response.headers) == (200, False)
    assert "You are signed out" in read_page(response)
    assert uri not in response.text


NOT_TOLD: dict[str, Callable[[App, Tokens], dict[str, str]]] = {
    "no client": lambda _app, _tokens: {},
    "an unknown client": lambda _app, _tokens: {"client_id": "nobody"},
    "two clients": lambda _app, tokens: {"client_id": "nobody", "id_token_hint": tokens["id_token"]},
    "a hint that is none": lambda app, _tokens: {"client_id": app.client_id, "id_token_hint": "x"},
}


@pytest.mark.parametrize("who", NOT_TOLD.values(), ids=NOT_TOLD)
def test_a_registered_address_is_nothing_without_its_client(
    pages: Pages, app: App, tokens: Tokens, who: Callable[[App, Tokens], dict[str, str]]
) -> None:
    """RP-Initiated Logout §3."""
    parameters = {**who(app, tokens), "post_logout_redirect_uri": GOODBYE}
    form = assert_asks(pages.get(link(**parameters)))
    response = pages.post(form.action, None, **form.values, decision="sign_out")
    assert (response.status_code, "Location" in response.headers) == (200, False)
    assert_ended(app, tokens)


def test_a_disabled_client_is_told_nothing(
    realm: Realm, pages: Pages, app: App, tokens: Tokens, clock: ManualClock
) -> None:
    disable_client(realm, app.client_id, Actor("cli"))
    clock.advance(timedelta(seconds=6))
    assert_asks(pages.get(link(id_token_hint=tokens["id_token"], post_logout_redirect_uri=GOODBYE)))


def test_a_request_that_says_something_twice_says_nothing(pages: Pages, app: App, tokens: Tokens) -> None:
    """ASVS 15.3.7."""
    twice = link(id_token_hint=tokens["id_token"], post_logout_redirect_uri=GOODBYE)
    assert_asks(pages.get(f"{twice}&post_logout_redirect_uri=https://evil.example/"))
    assert is_signed_in(app)


def test_a_native_client_is_answered_by_its_own_scheme(realm: Realm, api: Api, pages: Pages) -> None:
    """RFC 8252 §7.1."""
    uri = "com.example.app:/goodbye"
    members = {"kind": ClientKind.NATIVE, "post_logout_redirect_uris": (uri,)}
    app = App(pages, api, register_app(realm, "Phone", **members).client.client_id)
    tokens = app.connect()
    assert pages.get(link(id_token_hint=tokens["id_token"], post_logout_redirect_uri=uri)).headers["Location"] == uri


# --- people by themselves, and browsers without a session ------------------------------------------------------------


def test_a_person_signs_out_by_himself(pages: Pages, app: App, tokens: Tokens) -> None:
    """ASVS 7.4.4."""
    form = assert_asks(pages.get("/logout"))
    assert is_signed_in(app)
    response = pages.post(form.action, None, **form.values, decision="sign_out")
    assert "You are signed out" in read_page(response)
    assert takes_back(response)
    assert_ended(app, tokens)


@pytest.mark.parametrize("path", ["/logout", PATH])
def test_whoever_is_not_signed_in_is_told_that_he_is_not(pages: Pages, path: str) -> None:
    response = pages.get(path)
    assert (response.status_code, "You are signed out" in read_page(response)) == (200, True)
    assert not takes_back(response)


def test_a_client_gets_a_browser_without_a_session_back(pages: Pages, app: App) -> None:
    parameters = {"client_id": app.client_id, "post_logout_redirect_uri": GOODBYE, "state": STATE}
    assert pages.get(link(**parameters)).headers["Location"] == f"{GOODBYE}?{urlencode({'state': STATE})}"


def test_a_request_that_lost_a_race_never_clears_the_winners_cookie(
    pages: Pages, app: App, tokens: Tokens, clock: ManualClock
) -> None:
    """Contract §3: the browser proved anew who sits at it while an old request to sign out was on its way."""
    clock.advance(timedelta(seconds=10))
    old, hint = pages.cookie("authserver"), link(id_token_hint=tokens["id_token"])
    app.sign_in(app.send(prompt="login"))
    winner = pages.cookie("authserver")
    assert winner != old
    pages.set_cookie("authserver", old)
    assert not takes_back(pages.get(hint))
    pages.set_cookie("authserver", winner)
    assert is_signed_in(app)


def test_a_locked_user_is_nobody_at_his_browser(realm: Realm, user_id: str, pages: Pages, tokens: Tokens) -> None:
    carry_out(realm, UserLocked(user_id), user_id)
    response = pages.get(link(id_token_hint=tokens["id_token"]))
    assert not takes_back(response)
    assert claims_of(tokens["id_token"])["sub"] == user_id


def test_a_refused_return_is_named_in_the_log_and_not_on_the_page(pages: Pages, app: App) -> None:
    uri = "https://app.example/goodby"
    with capture_logs() as logs:
        page = pages.get(link(client_id=app.client_id, post_logout_redirect_uri=uri))
    (refused,) = (entry for entry in logs if entry["event"] == "post_logout_redirect_refused")
    assert (refused["client_id"], refused["post_logout_redirect_uri"]) == (app.client_id, uri)
    assert uri not in read_page(page)
