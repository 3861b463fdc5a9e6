"""What a consent shows of an application: its logo, its addresses, the operator's words; and what it loads for that."""

from typing import Any

import pytest
from werkzeug.test import TestResponse

from authserver.branding.brand import Brand
from authserver.realm import Realm
from authserver.records.scope_texts import read_scope_texts
from authserver.web.application import DoorSettings, create_application
from tests.support.people.api import GENEROUS, Api
from tests.support.people.authorizing import App, register_app
from tests.support.people.pages import Pages

LOGO = "https://cdn.app.example:8443/logo.png?size=48"
SHOWN = {
    "logo_uri": LOGO,
    "client_uri": "https://www.app.example/about",
    "policy_uri": "https://www.app.example/privacy",
    "tos_uri": "https://www.app.example/terms",
    "scope_texts": {"read": {"en": "See <b>albums</b>", "de": "Alben sehen"}},
}


def ask(realm: Realm, api: Api, **registration: Any) -> tuple[Pages, TestResponse]:  # noqa: ANN401 - the attributes of a ClientRegistration
    """The browser, and the consent that it is shown."""
    pages = Pages(api)
    app = App(pages, api, register_app(realm, **registration).client.client_id)
    return pages, app.sign_in(app.send())


def sources_of_images(page: TestResponse) -> list[str]:
    """What the policy of the page says of pictures."""
    policy = page.headers["Content-Security-Policy"]
    (images,) = (part.split()[1:] for part in policy.split("; ") if part.startswith("img-src "))
    return images


def test_a_logo_is_loaded_from_its_own_origin_and_no_other_without_a_referrer(
    realm: Realm, api: Api, user_id: str
) -> None:
    """Only on the page that asks for this application."""
    pages, page = ask(realm, api, **SHOWN)
    assert sources_of_images(page) == ["'self'", "https://cdn.app.example:8443"]
    (image,) = (tag for tag in page.text.split("<") if tag.startswith("img") and LOGO in tag)
    assert 'referrerpolicy="no-referrer"' in image
    assert sources_of_images(pages.get("/account")) == ["'self'"]


def test_an_application_without_a_logo_has_its_initial_and_loads_nothing(realm: Realm, api: Api, user_id: str) -> None:
    _, page = ask(realm, api)
    assert sources_of_images(page) == ["'self'"]
    assert '<span class="initial app" aria-hidden="true">N</span>' in page.text


def test_the_addresses_of_an_application_are_links(realm: Realm, api: Api, user_id: str) -> None:
    """Beside the host that the redirect leads to, which stays on the page."""
    _, page = ask(realm, api, **SHOWN)
    assert f'<a href="{SHOWN["client_uri"]}" rel="noreferrer">www.app.example</a>' in page.text
    assert f'<a href="{SHOWN["policy_uri"]}" rel="noreferrer">' in page.text
    assert f'<a href="{SHOWN["tos_uri"]}" rel="noreferrer">' in page.text
    assert "<strong>app.example</strong>" in page.text


@pytest.mark.parametrize(("language", "said"), [("en", "See &lt;b&gt;albums&lt;/b&gt;"), ("de", "Alben sehen")])
def test_the_words_for_one_client_come_before_the_installations(
    realm: Realm, api: Api, user_id: str, language: str, said: str
) -> None:
    """Where it asks and among the connected apps; other clients keep the installation's."""
    brand = Brand(scope_texts=read_scope_texts({"read": "Read everything", "write": "Write"}))
    api.app = create_application(realm, DoorSettings(GENEROUS, "memory", brand=brand))
    pages = Pages(api)
    own, other = (register_app(realm, name, **registration) for name, registration in (("Own", SHOWN), ("Other", {})))
    asked = App(pages, api, own.client.client_id)
    page = asked.sign_in(asked.send(ui_locales=language))
    assert said in page.text
    assert "Read everything" not in page.text
    asked.decide(page)
    connected = pages.get("/account/apps", **{"Accept-Language": language})
    assert said in connected.text
    assert "Read everything" in App(pages, api, other.client.client_id).send().text
