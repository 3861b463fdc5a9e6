"""What passwords may be chosen, wherever one is: at register, change and reset."""

from collections.abc import Callable
from typing import Any

import pytest

from authserver.administration.set_password import set_password
from authserver.protocol.secret import Secret
from authserver.realm import Realm
from authserver.realm.outcomes import Invalid
from authserver.records.audit import Actor
from tests.support.people.api import Api, content, field_errors
from tests.support.people.credentials import NEW_PASSWORD, change
from tests.support.people.mail import deliver_all, read_link
from tests.support.people.pages import Pages, read_page
from tests.support.world.realm import EMAIL, PASSWORD, add_user

COMMON = (
    "qwertyuiop",
    "1234567890",
    "q1w2e3r4t5",
    "1q2w3e4r5t",
    "4815162342",
    "123456789a",
    "12345qwert",
    "1234554321",
    "password123",
    "123456789q",
    "1029384756",
    "123qweasdzxc",
    "manchester",
    "1qaz2wsx3edc",
    "qwerty12345",
    "terminator",
    "enterprise",
    "salamander",
    "tinkerbell",
    "playstation",
)
"""20 that satisfy the length, from the lists that attackers try first."""

Choose = Callable[[str], Any]
DOORS = ("register", "change", "reset")


@pytest.fixture(params=DOORS)
def choose(request: pytest.FixtureRequest, api: Api, realm: Realm) -> Choose:
    """Choose a password at one of the three doors; the answer."""
    if request.param == "register":
        return lambda password: api.post("/register", {"email": EMAIL, "password": password, "name": "Ada"})
    add_user(realm)
    if request.param == "change":
        tokens = api.sign_in()
        return lambda password: change(api, tokens, new=password)
    api.post("/password/forgot", {"email": EMAIL})
    token = read_link(deliver_all(realm)[0])
    return lambda password: api.post("/password/reset", {"token": token, "new_password": password})


def test_passwords_that_everybody_uses_are_refused(choose: Choose) -> None:
    """ASVS 6.2.4, 6.2.12: at register, change and reset."""
    assert len(set(COMMON)) == 20
    for password in COMMON:
        assert list(field_errors(choose(password)).values()) == ["common"], password


@pytest.mark.parametrize("password", ["nine char", "authserver1", EMAIL, "x" * 1025])
def test_short_guessable_and_endless_ones_are_refused(choose: Choose, password: str) -> None:
    """ASVS 6.1.2, 6.2.1, 6.2.11."""
    assert field_errors(choose(password))


@pytest.mark.parametrize(("password", "code"), [("passwordpassword", "common"), ("a" * 16, "repetitive")])
def test_what_is_repeated_is_no_better_at_any_door(choose: Choose, password: str, code: str) -> None:
    assert list(field_errors(choose(password)).values()) == [code]


def test_the_current_password_is_no_new_one(api: Api, realm: Realm, user_id: str) -> None:
    """Refused with a code of its own at the API; nothing ends, and the link of a reset still works."""
    tokens = api.sign_in()
    assert field_errors(change(api, tokens, new=PASSWORD)) == {"new_password": "same_password"}
    api.post("/password/forgot", {"email": EMAIL})
    body = {"token": read_link(deliver_all(realm)[0]), "new_password": PASSWORD}
    assert field_errors(api.post("/password/reset", body)) == {"new_password": "same_password"}
    assert content(api.get("/account", tokens["access_token"]), 200)["token_version"] == 1
    assert deliver_all(realm) == []
    content(api.post("/password/reset", {**body, "new_password": NEW_PASSWORD}), 200)


def test_the_pages_say_so(pages: Pages) -> None:
    pages.open_and_send("/login", email=EMAIL, password=PASSWORD)
    page = pages.post("/account/password", current_password=PASSWORD, new_password=PASSWORD)
    assert page.status_code == 422
    assert "This is the current password." in read_page(page)
    page = pages.post("/signup", email="new@example.test", password="a" * 16)
    assert "repeats one or two characters" in read_page(page)


def test_an_operator_does_not_set_the_password_that_is(realm: Realm, user_id: str) -> None:
    outcome = set_password(realm, user_id, Secret(PASSWORD), by=Actor("cli"))
    assert isinstance(outcome, Invalid)
    assert [(error.field, error.code) for error in outcome.errors] == [("password", "same_password")]
    weak = set_password(realm, user_id, Secret("passwordpassword"), by=Actor("cli"))
    assert isinstance(weak, Invalid)
    assert [error.code for error in weak.errors] == ["common"]


@pytest.mark.parametrize("password", ["ten chars!", "all lower case letters", "x7" * 32, "x7" * 64, " spaces around "])
def test_long_ones_of_any_characters_pass(choose: Choose, password: str) -> None:
    """ASVS 6.2.1, 6.2.5, 6.2.9: no rules about what must be in it."""
    assert choose(password).status_code in {200, 201}


def test_only_the_owner_chooses_a_password(api: Api) -> None:
    """ASVS 6.4.6: no call takes somebody else's new password; who sets one proves to have a link or the old one."""
    document = content(api.get("/openapi.json"), 200)
    schemas = document["components"]["schemas"]
    taking = {
        (method, path)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        for part in operation.get("requestBody", {}).get("content", {}).values()
        if {"password", "new_password"} & schemas[part["schema"]["$ref"].rpartition("/")[2]]["properties"].keys()
    }
    assert taking == {
        ("post", "/api/register"),
        ("post", "/api/login"),
        ("post", "/api/account/password"),
        ("post", "/api/password/reset"),
    }
    assert PASSWORD not in COMMON
