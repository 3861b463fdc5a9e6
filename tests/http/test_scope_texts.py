"""The operator's words stand where people decide, and where they look at what they allowed."""

import pytest

from authserver.branding.brand import Brand
from authserver.realm import Realm
from authserver.records.scope_texts import read_scope_texts
from authserver.web.application import DoorSettings, create_application
from authserver.web.pages.languages import use_locales
from authserver.web.pages.scope_words import say_scopes
from tests.support.people.api import GENEROUS, Api
from tests.support.people.authorizing import App, register_app
from tests.support.people.pages import Pages

TEXTS = {
    "write": "Change <b>albums</b>",
    "read": {"en": "See albums", "de": "Alben sehen"},
    "email": "Know where to write",
}


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ["See your account ID", "Know where to write", "Change <b>albums</b>", "See albums"]),
        ("de", ["Ihre Konto-ID sehen", "Know where to write", "Change <b>albums</b>", "Alben sehen"]),
    ],
)
def test_the_words_of_the_operator_come_before_ours(realm: Realm, language: str, said: list[str]) -> None:
    """In the operator's order; a scope without words is shown by its name."""
    brand = Brand(scope_texts=read_scope_texts(TEXTS))
    app = create_application(realm, DoorSettings(GENEROUS, "memory", brand=brand))
    with app.test_request_context("/consent"):
        use_locales(language)
        *words, name = say_scopes(("zoom", "read", "openid", "email", "write"))
    assert words == said
    assert "zoom" in name


def test_words_are_text_and_no_markup(realm: Realm, api: Api, user_id: str) -> None:
    """On the page that asks, and among the connected apps."""
    brand = Brand(scope_texts=read_scope_texts(TEXTS))
    api.app = create_application(realm, DoorSettings(GENEROUS, "memory", brand=brand))
    pages = Pages(api)
    app = App(pages, api, register_app(realm, scope=("write",)).client.client_id)
    asked = app.sign_in(app.send(scope="write"))
    app.decide(asked)
    for page in (asked, pages.get("/account/apps")):
        assert "Change &lt;b&gt;albums&lt;/b&gt;" in page.text
