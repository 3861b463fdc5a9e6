"""`/signup`: becoming a user on a page."""

import dataclasses

import pytest

from authserver.credentials.hashing_pool import HashingPool, Places
from authserver.realm import Realm, Registration
from tests.support.people.api import Api
from tests.support.people.mail import deliver_all, read_link
from tests.support.people.pages import Form, Pages, dump, read_page
from tests.support.world.realm import EMAIL, PASSWORD, with_hashing

NEW = "grace@example.test"


@pytest.fixture
def strict(realm: Realm) -> Api:
    """An installation where addresses have to be confirmed."""
    return Api(dataclasses.replace(realm, registration=Registration(open=True, require_verified_email=True)))


def test_a_person_signs_up_and_in(api: Api, pages: Pages) -> None:
    response = pages.open_and_send("/signup", email=NEW, name="Grace", password=PASSWORD)
    assert response.status_code == 200
    assert "You can sign in now." in read_page(response)
    api.sign_in(NEW)


def test_where_addresses_are_confirmed_the_mail_has_the_link(realm: Realm, strict: Api) -> None:
    pages = Pages(strict)
    response = pages.open_and_send("/signup", email=NEW, password=PASSWORD)
    assert response.status_code == 202
    assert "The link works for 1 day." in read_page(response)
    assert "You can sign in now." in read_page(pages.open_and_send("/email/confirm", read_link(deliver_all(realm)[0])))
    strict.sign_in(NEW)


def test_there_nobody_learns_whether_an_address_is_taken(user_id: str, strict: Api) -> None:
    """ASVS 6.3.8."""
    pages = Pages(strict)
    answers = [pages.open_and_send("/signup", email=email, password=PASSWORD) for email in (EMAIL, NEW)]
    assert len({(answer.status_code, answer.text, str(answer.headers)) for answer in answers}) == 1


def test_elsewhere_a_taken_address_is_said_at_its_field(pages: Pages) -> None:
    response = pages.open_and_send("/signup", email=EMAIL, password=PASSWORD)
    assert response.status_code == 409
    assert "This e-mail address is already registered." in read_page(response)


def test_what_was_typed_stays_but_the_password(pages: Pages) -> None:
    typed = {"email": "not an address", "name": 'Grace "Amazing" <b>', "password": "short and bad"[:5]}
    response = pages.open_and_send("/signup", **typed)
    assert response.status_code == 422
    form = Form(response.text)
    assert (form.values["email"], form.values["name"], form.values["password"]) == (
        typed["email"],
        typed["name"],
        "",
    )
    assert "<b>" not in response.text
    assert 'value="short"' not in response.text


def test_what_is_wrong_is_said_at_the_field_and_above(pages: Pages) -> None:
    """WCAG 2.2, 3.3.1: a summary that is announced, and each field tied to its own sentences."""
    page = pages.open_and_send("/signup", email="not an address", password="short").text
    form = Form(page)
    for field, sentence in (
        ("email", "This is not an e\N{NON-BREAKING HYPHEN}mail address."),
        ("password", "at least 10 characters"),
    ):
        assert form.fields[field]["aria-invalid"] == "true"
        described = (form.fields[field]["aria-describedby"] or "").split()
        assert f"{field}-errors" in described
        assert all(f'id="{each}"' in page for each in described)
        assert page.count(sentence) >= 2
    assert 'role="alert"' in page
    assert "aria-invalid" not in form.fields["name"]


def test_the_password_field_helps_managers_and_takes_everything(pages: Pages) -> None:
    """ASVS 6.2.6, 6.2.7: masked; nothing keeps anybody from pasting or from long passwords; the rules are shown."""
    page = pages.get("/signup").text
    field = Form(page).fields["password"]
    assert (field["type"], field["autocomplete"]) == ("password", "new-password")
    assert not {"maxlength", "onpaste", "pattern"} & field.keys()
    assert "At least 10 characters." in page


def test_a_closed_registration_says_so_kindly(realm: Realm) -> None:
    closed = Pages(Api(dataclasses.replace(realm, registration=Registration(open=False, require_verified_email=True))))
    before = dump(realm)
    for response in (closed.get("/signup"), closed.post("/signup", email=NEW, password=PASSWORD)):
        assert response.status_code == 403
        assert "Registration is closed" in read_page(response)
        assert 'href="/login"' in response.text
    assert dump(realm) == before


def test_trying_too_often_is_told_in_words(realm: Realm) -> None:
    """The page and the API share one count."""
    api = Api(realm, "1 per 10 minutes")
    pages = Pages(api)
    for number in range(100):
        if number % 2:
            api.post("/register", {"email": "no address", "password": "x"})
        else:
            assert pages.post("/signup", email="no address").status_code == 422
    response = pages.post("/signup", email=NEW, password=PASSWORD)
    assert (response.status_code, response.headers["Retry-After"]) == (429, "600")


def test_a_server_that_is_busy_registers_nobody(realm: Realm) -> None:
    pool = HashingPool(Places(1, 0))
    pages = Pages(Api(with_hashing(realm, pool=pool)))
    before = dump(realm)
    response = pool.run(lambda: pages.post("/signup", email=NEW, password=PASSWORD))
    assert getattr(response, "status_code", None) == 503
    assert dump(realm) == before


def test_the_way_to_an_application_is_not_lost(pages: Pages) -> None:
    """From sign-in to sign-up and back, with what the application asked for."""
    page = pages.get("/signup?request=abc-DEF_1")
    form = Form(page.text)
    assert form.values["request"] == "abc-DEF_1"
    assert 'href="/login?request=abc-DEF_1"' in page.text
    done = pages.post(form.action, None, **{**form.values, "email": NEW, "password": PASSWORD})
    assert 'href="/login?request=abc-DEF_1"' in done.text
