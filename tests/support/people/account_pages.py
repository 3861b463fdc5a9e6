"""The account pages as a person uses them in one browser."""

from urllib.parse import parse_qs, urlsplit

from werkzeug.test import TestResponse

from tests.support.people.pages import Form, Pages
from tests.support.world.realm import EMAIL, PASSWORD

ROOMS = ("/account", "/account/password", "/account/sessions", "/account/apps", "/account/events")
SENSITIVE = ("/account/email", "/account/password", "/account/delete")
"""Pages whose form is taken only from who has signed in a short while ago."""


def sign_in(pages: Pages, email: str = EMAIL, password: str = PASSWORD) -> Pages:
    """Sign in at the page, and come to the account."""
    response = pages.post("/login", email=email, password=password)
    assert (response.status_code, response.headers["Location"]) == (303, "/account"), response.text
    return pages


def following(response: TestResponse) -> str:
    """Where a page that asks who is there leads back to."""
    assert response.status_code == 303, response.text
    location = urlsplit(response.headers["Location"])
    assert location.path == "/login"
    (path,) = parse_qs(location.query)["next"]
    return path


def is_signed_in(pages: Pages) -> bool:
    """Whether the account is shown to this browser."""
    response = pages.get("/account")
    assert response.status_code in {200, 303}
    return response.status_code == 200


def read_form(pages: Pages, path: str, having: str = "csrf_token") -> dict[str, str]:
    """What the form of a page would send as it is; a box that is not ticked sends nothing."""
    form = Form(pages.get(path).text.partition("<main")[2], having)
    ticked = {name for name, field in form.fields.items() if field.get("type") != "checkbox" or "checked" in field}
    return {name: value for name, value in form.values.items() if name in ticked}
