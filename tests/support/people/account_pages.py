"""The account pages, used in one browser."""

from urllib.parse import parse_qs, urlsplit

from werkzeug.test import TestResponse

from tests.support.people.pages import Form, Pages
from tests.support.world.realm import EMAIL, PASSWORD

ROOMS = ("/account", "/account/password", "/account/sessions", "/account/apps", "/account/events")
SENSITIVE = ("/account/email", "/account/password", "/account/delete")
"""Pages whose form needs a recent sign-in."""


def sign_in(pages: Pages, email: str = EMAIL, password: str = PASSWORD) -> Pages:
    """Sign in at the page, and open the account."""
    response = pages.post("/login", email=email, password=password)
    assert (response.status_code, response.headers["Location"]) == (303, "/account"), response.text
    return pages


def following(response: TestResponse) -> str:
    """Find where a sign-in page leads back to."""
    assert response.status_code == 303, response.text
    location = urlsplit(response.headers["Location"])
    assert location.path == "/login"
    (path,) = parse_qs(location.query)["next"]
    return path


def is_signed_in(pages: Pages) -> bool:
    """Whether this browser is shown the account page."""
    response = pages.get("/account")
    assert response.status_code in {200, 303}
    return response.status_code == 200


def read_form(pages: Pages, path: str, having: str = "csrf_token") -> dict[str, str]:
    """Read the values that the form of a page would send unchanged; an unticked box sends nothing."""
    form = Form(pages.get(path).text.partition("<main")[2], having)
    ticked = {name for name, field in form.fields.items() if field.get("type") != "checkbox" or "checked" in field}
    return {name: value for name, value in form.values.items() if name in ticked}
