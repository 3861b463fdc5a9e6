"""A request that an application sent somebody with goes on in the browser in which it began, and nowhere else.

A *thief* begins a request at their own browser and has Ada open its address (login CSRF, a mailed link).
"""

import re
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from werkzeug.test import TestResponse

from authserver.authorization.pending_request import read_pending
from authserver.realm import Realm
from authserver.web.pages.bound import MOST
from tests.support.people.account_pages import sign_in
from tests.support.people.api import Api
from tests.support.people.authorizing import CALLBACK, STATE, App, answered, claims_of, register_app
from tests.support.people.pages import Form, Pages, dump, read_page
from tests.support.world.clock import ManualClock
from tests.support.world.realm import EMAIL, PASSWORD, add_user

PROOFS = [{"prompt": "login"}, {"max_age": "0"}]
"""What only a proof for this very request answers."""

ASKED = [*PROOFS, {"prompt": "select_account"}]


@pytest.fixture
def app(realm: Realm, api: Api, pages: Pages) -> App:
    """An application that Ada has allowed everything, in her browser, where she is signed in."""
    app = App(pages, api, register_app(realm).client.client_id)
    app.authorize()
    return app


@pytest.fixture
def thief(app: App) -> App:
    """That application in somebody else's browser."""
    return App(Pages(app.api), app.api, app.client_id)


def token_of(page: TestResponse) -> str:
    return Form(page.text).values["request"]


def cookie_of(realm: Realm, token: str) -> str:
    """The name of the cookie that binds the request to its browser."""
    pending = read_pending(realm, token)
    assert pending is not None
    return f"authserver-request-{pending.request_id}"


Send = Callable[[App, str], TestResponse]


def get(path: str) -> Send:
    return lambda app, token: app.pages.get(f"{path}{'&' if '?' in path else '?'}request={token}")


def post(path: str, **typed: str) -> Send:
    return lambda app, token: app.pages.post(path, None, request=token, **typed)


PAGES: dict[str, Send] = {
    "sign-in": get("/login"),
    "sign-in as somebody else": get("/login?choice=other"),
    "consent": get("/consent"),
    "the password": post("/login", email=EMAIL, password=PASSWORD),
    "the choice of the account": post("/login", choice="continue"),
    "the answer": post("/consent", decision="allow"),
}
"""Every page through which a request goes, and each of its forms."""


def test_every_step_is_walked_here(api: Api) -> None:
    """A new step joins the tests below."""
    served = {
        rule.rule
        for rule in api.app.url_map.iter_rules()
        if hasattr(api.app.view_functions[rule.endpoint], "carries_requests")
    }
    assert served == {*WALKED, *OF_DEVICES, *ASIDES}


WALKED = (
    "/login",
    "/consent",
)
"""The pages of the steps."""

OF_DEVICES = ("/device", "/device/confirm")
"""The pages of the steps that only a device asks for, and `test_device_page` walks."""

ASIDES = ("/signup", "/forgot")
"""Pages beside the way: they carry a request, do nothing with it, and lead back."""


@pytest.mark.parametrize("asked", ASKED, ids=str)
@pytest.mark.parametrize("kept", ["nothing", "what belongs to another request", "what was changed"])
def test_a_request_of_another_browser_goes_on_at_no_page(
    app: App, thief: App, realm: Realm, clock: ManualClock, asked: dict[str, str], kept: str
) -> None:
    """It begins anew: whoever is signed in here, and since when, answers nothing that was asked before."""
    token = token_of(thief.send(**asked))
    name = cookie_of(realm, token)
    if kept == "what belongs to another request":
        app.pages.set_cookie(name, app.pages.cookie(cookie_of(realm, token_of(app.send(**asked)))))
    elif kept == "what was changed":
        app.pages.set_cookie(name, thief.pages.cookie(name)[:-2] + "AA")
    clock.advance(timedelta(seconds=1))
    sign_in(app.pages)
    before = dump(realm)
    for page, send in PAGES.items():
        response = send(app, token)
        assert dump(realm) == before, page
        assert (response.status_code, urlsplit(response.headers["Location"]).path) == (303, "/login"), page
        assert parse_qs(urlsplit(response.headers["Location"]).query)["request"] != [token], page
        again = app.follow(response)
        assert "password" in Form(again.text, "password").fields, page
        assert ("Continue as" in read_page(again)) is (asked == {"prompt": "select_account"}), page


@pytest.mark.parametrize("asked", PROOFS, ids=str)
def test_a_sign_in_for_something_else_is_no_proof_for_a_request(
    app: App, clock: ManualClock, asked: dict[str, str]
) -> None:
    """In another tab, for the account or for another request: who asked for a proof gets one of its own."""
    first = app.send(**asked)
    clock.advance(timedelta(seconds=1))
    sign_in(app.pages)
    assert "code" in answered(app.sign_in(app.send(**asked)))
    clock.advance(timedelta(seconds=1))
    for path in ("/login", "/consent"):
        assert 'name="password"' in app.follow(get(path)(app, token_of(first))).text
    assert "code" in answered(app.sign_in(first))


def test_a_choice_for_something_else_is_no_choice_for_a_request(app: App) -> None:
    first, second = (app.send(prompt="select_account") for _ in range(2))
    assert "code" in answered(post("/login", choice="continue")(app, token_of(second)))
    assert "Choose an account" in read_page(app.follow(get("/consent")(app, token_of(first))))


def test_a_choice_does_not_outlive_who_made_it(app: App, realm: Realm) -> None:
    """Somebody else signed in since."""
    add_user(realm, "bob@example.org")
    page = app.send(prompt="select_account", scope="openid email")
    consent = post("/login", choice="continue")(app, token_of(page))
    sign_in(app.pages, "bob@example.org")
    assert "Choose an account" in read_page(app.follow(consent))


def test_what_the_browser_keeps_of_one_request_is_worth_nothing_for_another(
    app: App, realm: Realm, clock: ManualClock
) -> None:
    """Also with the proof in it."""
    proved, later = app.send(prompt="login"), app.send(prompt="login")
    app.sign_in(proved)
    clock.advance(timedelta(seconds=1))
    app.pages.set_cookie(cookie_of(realm, token_of(later)), app.pages.cookie(cookie_of(realm, token_of(proved))))
    assert 'name="password"' in app.follow(get("/login")(app, token_of(later))).text


# --- who loses nothing ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("asked", [{}, *ASKED], ids=str)
def test_an_honest_person_whose_browser_lost_the_cookie_goes_on(
    app: App, realm: Realm, user_id: str, clock: ManualClock, asked: dict[str, str]
) -> None:
    """Nothing that the application said is lost: `state`, scope, and for whom it is."""
    for page, send in PAGES.items():
        fresh = App(Pages(app.api), app.api, app.client_id)
        token = token_of(fresh.send(**asked, nonce=page))
        fresh.pages.forget_cookie(cookie_of(realm, token))
        clock.advance(timedelta(seconds=1))
        said = answered(fresh.sign_in(fresh.follow(send(fresh, token))))
        tokens = fresh.redeem(said["code"]).json
        assert said["state"] == STATE
        assert tokens is not None
        assert tokens["scope"] == "openid read offline_access"
        assert (claims_of(tokens["id_token"])["sub"], claims_of(tokens["id_token"])["nonce"]) == (user_id, page)


def test_a_link_that_was_opened_in_another_browser_works_there(app: App, thief: App, clock: ManualClock) -> None:
    """A person copies the address from one of their browsers to another."""
    clock.advance(timedelta(seconds=1))
    page = app.follow(get("/login")(app, token_of(thief.send(prompt="login"))))
    assert "code" in answered(app.sign_in(page))


def test_reloading_and_going_back_lose_nothing(app: App) -> None:
    page = app.send(prompt="login consent")
    token = token_of(page)
    for _ in range(2):
        assert token_of(app.follow(get("/login")(app, token))) == token
    consent = app.sign_in(page)
    assert 'name="decision"' in app.follow(get("/login")(app, token)).text
    first = answered(app.decide(consent))["code"]
    again = app.follow(get("/consent")(app, token))
    second = answered(app.decide(again))["code"]
    assert first != second
    assert app.redeem(second).status_code == 200
    assert app.follow(get("/login")(app, token)).status_code == 200


@pytest.mark.parametrize("path", ASIDES)
@pytest.mark.parametrize("whose", ["right", "foreign", "none"])
def test_pages_beside_the_way_carry_a_request_and_lead_back(
    app: App, thief: App, realm: Realm, path: str, whose: str
) -> None:
    """They do nothing with it: what becomes of it is for the page to which they lead."""
    token = token_of((app if whose == "right" else thief).send(prompt="login"))
    if whose == "foreign":
        app.pages.set_cookie(cookie_of(realm, token), "x.y.z")
    page = get(path)(app, token)
    (back,) = {link.replace("&amp;", "&") for link in re.findall(r'href="(/login[^"]*)"', page.text)}
    response = app.pages.get(back)
    assert (response.status_code == 200) is (whose == "right")
    assert 'name="password"' in app.follow(response).text


def test_many_tabs_go_on_side_by_side(app: App, realm: Realm, clock: ManualClock) -> None:
    """The number of cookies is bounded; the request that was given up for a newer one begins anew."""
    tabs = []
    for number in range(MOST + 1):
        clock.advance(timedelta(seconds=1))
        page = app.send(prompt="login", state=str(number))
        tabs.append(page)
        kept = [tab for tab in tabs if app.pages.keeps(cookie_of(realm, token_of(tab)))]
        assert kept == tabs[-MOST:]
    for number, page in reversed(list(enumerate(tabs))[1:]):
        assert answered(app.sign_in(page))["state"] == str(number)
    oldest = app.sign_in(tabs[0])
    assert 'name="password"' in oldest.text
    assert answered(app.sign_in(oldest))["state"] == "0"


def test_no_page_of_a_request_cuts_itself_off_from_the_window_that_opened_it(app: App) -> None:
    """An application may run its sign-in in a pop-up and wait for the answer."""
    page = app.send(prompt="login consent", response_mode="form_post")
    consent = app.sign_in(page)
    answer = app.decide(consent)
    assert Form(answer.text).action == CALLBACK
    for shown in (page, consent, answer):
        assert "Cross-Origin-Opener-Policy" not in shown.headers
        assert "form-action" not in shown.headers["Content-Security-Policy"]


def test_what_another_installation_keeps_here_stays(app: App, realm: Realm) -> None:
    """Ports of one host share their cookies."""
    names = [f"authserver-request-{number:022}" for number in range(MOST)]
    for name in names:
        app.pages.set_cookie(name, "0.1.2.3")
    page = app.send(prompt="login")
    assert all(app.pages.keeps(name) for name in [*names, cookie_of(realm, token_of(page))])


def test_a_request_that_nobody_is_asked_about_leaves_nothing(app: App) -> None:
    """Silent renewals would push out what the tabs need."""
    answers = app.send(prompt="none"), app.send(), app.send(redirect_uri="https://evil.example")
    assert [answer.status_code for answer in answers] == [303, 303, 400]
    assert not any("authserver-request" in str(answer.headers) for answer in answers)


def test_the_cookie_is_kept_as_long_as_the_request_may_take(realm: Realm, api: Api) -> None:
    """ASVS 3.3.1 to 3.3.4."""
    app = App(Pages(api), api, register_app(realm).client.client_id)
    response = app.pages.get(app.link())
    (header,) = response.headers.getlist("Set-Cookie")
    flags = {part for part in header.split("; ")[1:] if not part.startswith("Expires=")}
    assert flags == {"HttpOnly", "Max-Age=3600", "Path=/", "SameSite=Lax"}


# --- browsers without cookies -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "de"])
def test_a_browser_without_cookies_is_told_so(app: App, realm: Realm, language: str) -> None:
    """Once round, and then a page that says what is missing and where to start again."""
    client = app.api.app.test_client(use_cookies=False)
    link = app.link(ui_locales=language)
    response = client.get(link, headers={"Accept-Language": language})
    for _ in range(2):
        assert response.status_code == 303
        response = client.get(response.headers["Location"], headers={"Accept-Language": language})
    assert response.status_code == 400
    assert {"en": "Allow cookies for this site", "de": "Erlauben Sie Cookies"}[language] in read_page(response)
    ((start,),) = [re.findall(r'class="button" href="([^"]*)"', response.text)]
    assert start.replace("&amp;", "&") == link
    with realm.database.read() as tx:
        assert tx.exec_driver_sql("SELECT count(*) FROM authorization_codes").scalar_one() == 1


def test_a_client_of_a_browser_without_cookies_hears_what_it_may(app: App) -> None:
    """`prompt=none` in a frame, where browsers bring no cookie along."""
    client = app.api.app.test_client(use_cookies=False)
    assert answered(client.get(app.link(prompt="none")))["error"] == "login_required"


def test_nothing_is_sent_to_the_client_from_a_foreign_request_with_an_error(app: App, thief: App) -> None:
    """A stranger's request that is refused anyway: it begins anew, and the answer is what a new one gets."""
    token = token_of(thief.send(scope="unheard of"))
    response = app.follow(get("/login")(app, token))
    assert response.headers["Location"].startswith(f"{CALLBACK}?error=invalid_scope")
