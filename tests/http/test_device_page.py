"""`/device`: a person connects a device, for which somebody else may have sent them the code (RFC 8628 §3.3, §5)."""

import re
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from werkzeug.test import TestResponse

from authserver.realm import Realm
from authserver.web.limits.tries import TooManyTries, try_user_code
from tests.support.people.account_pages import sign_in
from tests.support.people.api import Api, content
from tests.support.people.authorizing import claims_of
from tests.support.people.pages import Form, Pages, dump, read_page
from tests.support.people.television import Television, Viewer, register_television
from tests.support.world.clock import ManualClock
from tests.support.world.realm import EMAIL, add_user

OTHER = "grace@example.test"


@pytest.fixture
def television(api: Api, realm: Realm) -> Television:
    """One that shows its code."""
    return Television(api, register_television(realm)).begin()


@pytest.fixture
def viewer(pages: Pages) -> Viewer:
    """Ada, at her browser."""
    return Viewer(pages)


@pytest.fixture
def neighbour(api: Api, realm: Realm, user_id: str) -> Viewer:
    """Somebody else at another browser."""
    assert user_id
    add_user(realm, OTHER)
    return Viewer(Pages(api), OTHER)


# --- the way ----------------------------------------------------------------------------------------------------------


def test_a_person_signs_in_types_the_code_and_allows_it(television: Television, viewer: Viewer) -> None:
    """RFC 8628 §3.3: without scripts, from the address that the device shows."""
    page = viewer.follow(viewer.pages.get("/device"))
    page = viewer.sign_in(page)
    assert "Connect a device" in read_page(page)
    page = viewer.type_code(page, television.user_code)
    assert "Connect Television to your account?" in read_page(page)
    done = viewer.decide(page)
    assert (done.status_code, "Your device is connected" in read_page(done)) == (200, True)
    assert "/account/sessions" in done.text
    assert television.poll().status_code == 200


@pytest.mark.parametrize(
    "spell", [str.lower, lambda code: " ".join(code.replace("-", "")), lambda code: f"({code}).\t"]
)
def test_a_code_is_read_as_people_type_it(television: Television, viewer: Viewer, spell: Callable[[str], str]) -> None:
    """RFC 8628 §6.1: 'f o o b a r', too."""
    assert "Connect Television" in viewer.claim(spell(television.user_code)).text


def test_the_link_of_a_qr_code_leads_to_a_question(television: Television, viewer: Viewer) -> None:
    """RFC 8628 §3.3.1, §5.4: the code is shown to be compared, then the device; nothing is allowed by following it."""
    page = viewer.visit(television.link)
    assert "Is this the code on your device?" in read_page(page)
    assert Form(page.text, "user_code").values["user_code"] == television.user_code
    assert television.hear() == "authorization_pending"
    page = viewer.type_code(page)
    assert 'name="decision"' in page.text
    assert "connected" in viewer.decide(page).text
    assert television.poll().status_code == 200


def test_a_link_with_anything_else_asks_for_a_code(viewer: Viewer) -> None:
    page = viewer.visit("/device?user_code=%3Cscript%3E")
    assert "Connect a device" in read_page(page)
    assert Form(page.text, "user_code").values["user_code"] == ""


def test_who_says_no_is_told_and_the_device_is(television: Television, viewer: Viewer) -> None:
    page = viewer.decide(viewer.claim(television.user_code), "deny")
    assert "The device is not connected" in read_page(page)
    assert television.hear() == "access_denied"


def test_an_answer_that_is_none_changes_nothing(television: Television, viewer: Viewer) -> None:
    page = viewer.decide(viewer.claim(television.user_code), "perhaps")
    assert 'name="decision"' in page.text
    assert television.hear() == "authorization_pending"


def test_what_was_decided_is_shown_again(television: Television, viewer: Viewer) -> None:
    """A button that is pressed twice; and the second answer does not change the first."""
    page = viewer.claim(television.user_code)
    assert "is connected" in viewer.decide(page).text
    assert "is connected" in viewer.decide(page, "deny").text
    assert television.poll().status_code == 200
    assert "is connected" in viewer.decide(page).text


def test_a_connected_device_is_in_the_list_and_can_be_ended(television: Television, viewer: Viewer) -> None:
    """ASVS 7.5.2: with the name of its client."""
    viewer.allow(television)
    tokens = content(television.poll(), 200)
    page = viewer.pages.get("/account/sessions")
    assert "Television" in read_page(page)
    viewer.pages.post("/account/sessions", None, end=tokens["sid"])
    assert television.refresh(tokens["refresh_token"]).status_code == 400


# --- a fresh sign-in --------------------------------------------------------------------------------------------------


def test_who_is_signed_in_signs_in_for_the_device(television: Television, viewer: Viewer, clock: ManualClock) -> None:
    """Design §9a: a session at the browser is not enough, however young, nor is a sign-in in another tab."""
    sign_in(viewer.pages)
    page = viewer.follow(viewer.pages.get(television.link))
    assert "Please enter your password again" in read_page(page)
    clock.advance(timedelta(seconds=1))
    sign_in(viewer.pages)  # for something else, in another tab
    asked = Form(page.text, "password").values["request"]
    for path in ("/device", "/device/confirm"):
        response = viewer.pages.get(f"{path}?request={asked}")
        assert urlsplit(response.headers["Location"]).path == "/login"


def test_a_code_is_not_looked_up_for_who_has_not_signed_in_for_it(
    television: Television, viewer: Viewer, realm: Realm
) -> None:
    """Neither with a request of this browser, nor with none."""
    sign_in(viewer.pages)
    asked = Form(viewer.follow(viewer.pages.get("/device")).text, "password").values["request"]
    before = dump(realm)
    for request in ({"request": asked}, {}):
        response = viewer.pages.post("/device", None, user_code=television.user_code, **request)
        assert urlsplit(response.headers["Location"]).path == "/login"
    assert dump(realm) == before


def test_the_session_says_when_the_person_signed_in_for_it(
    television: Television, viewer: Viewer, clock: ManualClock
) -> None:
    sign_in(viewer.pages)
    clock.advance(timedelta(minutes=5))
    at = int(clock.now().timestamp())
    viewer.allow(television)
    assert claims_of(content(television.poll(), 200)["access_token"])["auth_time"] == at


# --- one person -------------------------------------------------------------------------------------------------------


def test_a_code_belongs_to_who_typed_it_first(television: Television, viewer: Viewer, neighbour: Viewer) -> None:
    """Design §9a; nobody learns that there is such a code."""
    page = viewer.claim(television.user_code)
    refused = neighbour.claim(television.user_code)
    assert (refused.status_code, "This code is not valid" in read_page(refused)) == (400, True)
    viewer.decide(page)
    assert television.poll().status_code == 200


def test_an_answer_counts_for_who_was_asked(television: Television, viewer: Viewer, neighbour: Viewer) -> None:
    """In another tab another user has signed in since: the page that asked Ada lets him allow nothing."""
    page = viewer.claim(television.user_code)
    sign_in(viewer.pages, OTHER)
    assert "is connected" not in viewer.decide(page).text
    assert television.hear() == "authorization_pending"


def test_the_same_person_may_type_it_again(television: Television, viewer: Viewer) -> None:
    """In another tab, or after the browser was closed; the first tab asks for a code again."""
    first = viewer.claim(television.user_code)
    again = viewer.claim(television.user_code)
    assert 'name="user_code"' in viewer.decide(first).text
    assert "is connected" in viewer.decide(again).text


def test_a_request_is_about_one_device(television: Television, viewer: Viewer, api: Api) -> None:
    """What the page showed is what is allowed, whatever was typed beside it."""
    other = Television(api, television.client_id).begin()
    code_page = viewer.visit()
    asks = viewer.type_code(code_page, television.user_code)
    assert 'name="decision"' in viewer.type_code(code_page, other.user_code).text
    viewer.decide(asks)
    assert other.hear() == "authorization_pending"
    assert television.poll().status_code == 200


def test_an_answer_is_about_the_device_that_was_shown(television: Television, viewer: Viewer, api: Api) -> None:
    """The first device went on in another tab, so its request can be about another one: its old page allows nothing."""
    other = Television(api, television.client_id).begin()
    code_page = viewer.visit()
    asks = viewer.type_code(code_page, television.user_code)
    viewer.claim(television.user_code)
    assert 'name="decision"' in viewer.type_code(code_page, other.user_code).text
    assert 'name="decision"' in viewer.decide(asks).text
    assert other.hear() == "authorization_pending"


def test_a_request_of_another_browser_begins_anew(television: Television, viewer: Viewer, neighbour: Viewer) -> None:
    """An address that was mailed brings no claim along, and no sign-in."""
    page = viewer.claim(television.user_code)
    asked = Form(page.text).values["request"]
    for path in ("/device", "/device/confirm"):
        response = neighbour.pages.get(f"{path}?request={asked}")
        assert urlsplit(response.headers["Location"]).path == "/login"
        assert parse_qs(urlsplit(response.headers["Location"]).query)["request"] != [asked]


def test_a_foreign_form_allows_nothing(television: Television, viewer: Viewer) -> None:
    """ASVS 3.5.1."""
    form = Form(viewer.claim(television.user_code).text)
    sent = {**form.values, "decision": "allow"}
    assert viewer.pages.post_bare(form.action, {"Origin": "https://evil.example"}, **sent).status_code == 403
    del sent["csrf_token"]
    assert viewer.pages.post_bare(form.action, {}, **sent).status_code == 403
    assert television.hear() == "authorization_pending"


# --- what the page says ----------------------------------------------------------------------------------------------


def test_the_question_says_what_is_known_and_what_is_not(
    api: Api, realm: Realm, viewer: Viewer, clock: ManualClock
) -> None:
    """RFC 8628 §5.4, ASVS 10.7.2: client, scopes, for how long, when and from where it was asked."""
    television = Television(api, register_television(realm)).begin(ip="203.0.113.7")
    clock.advance(timedelta(minutes=3))
    asked = read_page(viewer.claim(television.user_code))
    for words in (
        "Television",
        "3 minutes ago",
        "Its network address is 203.0.113.7. Yours is 127.0.0.1.",
        "Where that is and who uses the device is not known",
        "if somebody sent you the code",
        "See your name",
        f"Signed in as {EMAIL}",
        "up to 90 days",
    ):
        assert words in asked, words


def test_a_device_in_the_same_network_is_called_that(api: Api, realm: Realm, viewer: Viewer) -> None:
    television = Television(api, register_television(realm)).begin(ip="127.0.0.1")
    assert "Its network address is 127.0.0.1, the same as yours now." in read_page(viewer.claim(television.user_code))


def test_the_pages_speak_german(television: Television, viewer: Viewer) -> None:
    page = viewer.visit(television.link)
    spoken = []
    for path in ("/device", "/device/confirm"):
        asked = Form(page.text).values["request"]
        german = viewer.pages.get(f"{path}?request={asked}", **{"Accept-Language": "de"})
        spoken.append(read_page(german))
        page = viewer.type_code(page) if path == "/device" else page
    assert "Steht dieser Code auf Ihrem Gerät?" in spoken[0]
    assert "Television mit Ihrem Konto verbinden?" in spoken[1]
    assert "Ein Gerät hat gerade eben darum gebeten." in spoken[1]


# --- guesses ----------------------------------------------------------------------------------------------------------


def guess(viewer: Viewer, page: TestResponse, times: int) -> list[int]:
    """The answers to as many wrong codes."""
    return [viewer.type_code(page, "BBBB-BBBB").status_code for _ in range(times)]


def test_a_user_has_few_guesses(realm: Realm, user_id: str) -> None:
    """RFC 8628 §5.1: counted before a code is looked up; a right one is not a guess, and gives no further ones."""
    assert user_id
    api = Api(realm, "3 per 10 minutes")
    television, viewer = Television(api, register_television(realm)).begin(), Viewer(Pages(api))
    page = viewer.visit()
    assert guess(viewer, page, 2) == [400, 400]
    assert 'name="decision"' in viewer.type_code(page, television.user_code).text
    page = viewer.visit()
    assert guess(viewer, page, 2) == [400, 429]
    assert viewer.type_code(page, television.user_code).status_code == 429
    assert television.hear() == "authorization_pending"


def test_an_address_has_a_limit_beside_that_of_its_users(realm: Realm) -> None:
    """Many accounts give no more guesses than one address has."""
    api = Api(realm, "1 per 10 minutes")
    with api.app.test_request_context("/device", environ_overrides={"REMOTE_ADDR": "203.0.113.7"}):
        counted = [try_user_code(f"user {number}", lambda: False) for number in range(101)]
    assert [isinstance(one, TooManyTries) for one in counted] == [False] * 100 + [True]


def test_what_is_no_code_is_not_counted(realm: Realm, user_id: str) -> None:
    """Nothing is looked up for it."""
    assert user_id
    viewer = Viewer(Pages(Api(realm, "2 per 10 minutes")))
    page = viewer.visit()
    answers = [viewer.type_code(page, typed) for typed in ("", "hello", "12345678", "WDJB-MJH", "W" * 200)]
    assert all("A code has 8 letters" in read_page(answer) for answer in answers)
    assert not re.search("W{200}", answers[0].text)
