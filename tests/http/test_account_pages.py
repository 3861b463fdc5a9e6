"""The pages about one's own account: who sees them, and how he gets there."""

from datetime import timedelta

import pytest

from authserver.realm import Realm
from tests.support.people.account_pages import ROOMS, SENSITIVE, following, is_signed_in, sign_in
from tests.support.people.api import Api
from tests.support.people.pages import Form, Pages, dump, read_page
from tests.support.world.clock import ManualClock
from tests.support.world.realm import EMAIL, ISSUER, PASSWORD, add_user

PAGES = tuple(dict.fromkeys((*ROOMS, *SENSITIVE)))
FORMS = {
    "/account": {"name": "Mallory"},
    "/account/email": {"new_email": "mallory@example.test", "current_password": PASSWORD},
    "/account/password": {"current_password": PASSWORD, "new_password": "a stapler for every horse"},
    "/account/sessions": {"end": "none"},
    "/account/sessions/others": {},
    "/account/apps": {"disconnect": "first-party"},
    "/account/export": {},
    "/account/delete": {"current_password": PASSWORD},
}


@pytest.mark.parametrize("path", PAGES)
def test_who_is_not_signed_in_signs_in_and_comes_back(pages: Pages, path: str) -> None:
    """ASVS 7.2.1: nothing is shown without a session; then the very page that was asked for."""
    asked = pages.get(path)
    assert following(asked) == path
    form = Form(pages.get(asked.headers["Location"]).text)
    response = pages.post("/login", None, **{**form.values, "email": EMAIL, "password": PASSWORD})
    assert (response.status_code, response.headers["Location"]) == (303, path)
    assert pages.get(path).status_code == 200


def test_nobody_acts_without_a_session(pages: Pages, realm: Realm) -> None:
    before = dump(realm)
    for path, typed in FORMS.items():
        assert following(pages.post(path, None, **typed)) == path
    assert dump(realm) == before


def test_a_form_of_another_site_or_without_its_token_does_nothing(pages: Pages, realm: Realm) -> None:
    """ASVS 3.5.1: with the cookie of the victim's browser, as a foreign page would send it."""
    sign_in(pages)
    before = dump(realm)
    for path, typed in FORMS.items():
        for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
            assert pages.post(path, headers, **typed).status_code == 403
        for headers in ({"Origin": ISSUER}, {"Origin": "null"}, {}):
            assert pages.post_bare(path, headers, **typed).status_code == 403
    assert dump(realm) == before


def test_looking_changes_nothing(pages: Pages, realm: Realm) -> None:
    """ASVS 3.5.3."""
    sign_in(pages)
    before = dump(realm)
    for path in PAGES:
        assert pages.get(path).status_code == 200
    assert dump(realm) == before


@pytest.mark.parametrize("path", SENSITIVE)
def test_a_sensitive_form_is_shown_to_who_has_just_proved_himself(
    pages: Pages, clock: ManualClock, realm: Realm, path: str
) -> None:
    """ASVS 7.5.1, 7.5.3: the page asks for the password alone, shows the form then, and turns in no circle."""
    sign_in(pages)
    clock.advance(timedelta(minutes=16))
    for room in ROOMS:
        assert room in SENSITIVE or pages.get(room).status_code == 200
    assert following(pages.post(path, None, **FORMS[path])) == path
    asked = pages.get(path)
    assert following(asked) == path
    page = pages.get(asked.headers["Location"])
    assert page.status_code == 200
    assert "Confirm that it is you" in read_page(page)
    form = Form(page.text, "password")
    assert form.values["email"] == EMAIL
    response = pages.post(form.action, None, **{**form.values, "password": PASSWORD})
    assert (response.status_code, response.headers["Location"]) == (303, path)
    assert pages.get(path).status_code == 200


def test_each_page_names_itself_and_leads_to_the_others(pages: Pages) -> None:
    """WCAG 2.2, 2.4.1 and 2.4.5; contract §9."""
    sign_in(pages)
    for path in PAGES:
        text = pages.get(path).text
        assert text.index('href="#content"') < text.index("<header")
        assert 'id="content"' in text
        navigation = text.partition("<nav")[2].partition("</nav>")[0]
        for room in ROOMS:
            assert f'<a href="{room}"' in navigation
        assert navigation.count("aria-current") == 1
        assert 'aria-current="page"' in navigation or path not in ROOMS
        assert Form(navigation).action == "/logout"
        assert EMAIL in navigation


def test_each_page_is_in_the_language_of_the_browser(pages: Pages) -> None:
    sign_in(pages)
    for path in PAGES:
        german = pages.get(path, **{"Accept-Language": "de"}).text
        assert '<html lang="de">' in german
        assert "Zum Inhalt springen" in german


def test_a_page_is_about_who_is_signed_in(realm: Realm, api: Api, pages: Pages) -> None:
    add_user(realm, "eve@example.test")
    other = sign_in(Pages(api), "eve@example.test")
    sign_in(pages)
    for path in PAGES:
        assert EMAIL not in other.get(path).text
        assert "eve@example.test" not in pages.get(path).text


def test_a_cookie_that_opens_nothing_opens_no_page(pages: Pages) -> None:
    """ASVS 7.2.1."""
    sign_in(pages)
    pages.set_cookie("authserver", "A" * 43)
    assert not is_signed_in(pages)


def test_what_people_call_themselves_is_text(pages: Pages) -> None:
    """ASVS 1.2.1."""
    sign_in(pages)
    assert pages.post("/account", name="<script>alert(1)</script>").status_code == 200
    assert "<script" not in pages.get("/account").text


def test_a_form_that_says_something_twice_is_no_form(pages: Pages, realm: Realm) -> None:
    """ASVS 15.3.7."""
    sign_in(pages)
    token = pages.find_token()
    before = dump(realm)
    for path, typed in FORMS.items():
        body = f"csrf_token={token}&" + "&".join(f"{name}={value}" for name, value in typed.items())
        assert pages.send(path, f"{body}&end=a&end=b").status_code == 403
    assert dump(realm) == before


def test_locked_users_see_no_page(pages: Pages, realm: Realm, user_id: str) -> None:
    """Matrix, account locking: soft logout; the session is there again when the lock is lifted."""
    sign_in(pages)
    with realm.database.write() as tx:
        tx.exec_driver_sql("UPDATE users SET locked_at = 1")
    for path, typed in FORMS.items():
        assert following(pages.post(path, None, **typed)) == path
    with realm.database.write() as tx:
        tx.exec_driver_sql("UPDATE users SET locked_at = NULL")
    assert is_signed_in(pages)
