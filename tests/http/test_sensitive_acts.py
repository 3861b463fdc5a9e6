"""Every act that takes the current password, on pages and in the API: who may try it, how often (ASVS 6.3.1)."""

import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from authserver.credentials.hashing_pool import HashingPool, Places
from authserver.realm import Realm
from authserver.web import pages as pages_room
from tests.support.people.account_pages import SENSITIVE, following, sign_in
from tests.support.people.api import Api
from tests.support.people.credentials import NEW_PASSWORD, refreshed
from tests.support.people.pages import Pages
from tests.support.world.clock import ManualClock
from tests.support.world.processes import PATIENCE
from tests.support.world.realm import PASSWORD, with_hashing

LIMITS = "3 per hour; 20 per day"
MEMBERS = {"new_password": NEW_PASSWORD, "new_email": "ada@example.net"}

ACTS = {
    ("POST", "/account/password"): ("current_password", "new_password"),
    ("POST", "/account/email"): ("current_password", "new_email"),
    ("DELETE", "/account"): ("current_password",),
}
"""The calls of the API whose body has the current password, with the members that they need."""

Try = Callable[[str], TestResponse]
"""One try with this as the current password."""


def _through_api(method: str, path: str, members: tuple[str, ...]) -> Callable[[Api], Try]:
    def begin(api: Api) -> Try:
        session = [api.sign_in()]

        def attempt(password: str) -> TestResponse:
            body = {name: password if name == "current_password" else MEMBERS[name] for name in members}
            response = api.call(method, path, session[-1]["access_token"], json=body)
            if response.status_code == 401 and (response.json or {})["code"] == "expired":
                session.append(refreshed(api, session[-1]))
                return attempt(password)
            return response

        return attempt

    return begin


def _through_page(path: str) -> Callable[[Api], Try]:
    def begin(api: Api) -> Try:
        browser = sign_in(Pages(api))
        return lambda password: browser.post(path, None, current_password=password, **MEMBERS)

    return begin


DOORS = {
    **{f"{method} /api{path}": _through_api(method, path, needs) for (method, path), needs in ACTS.items()},
    **{path: _through_page(path) for path in SENSITIVE},
}


def _asks_to_sign_in(response: TestResponse) -> bool:
    if response.status_code == 401:
        return bool((response.json or {})["code"] == "insufficient_user_authentication")
    return following(response) in SENSITIVE


@pytest.fixture(params=DOORS)
def begin(request: pytest.FixtureRequest) -> Callable[[Api], Try]:
    """Opens a session of the user and returns what it does there: one act at one door."""
    return DOORS[request.param]


@pytest.fixture
def limited(realm: Realm, user_id: str) -> Api:
    return Api(realm, LIMITS)


def test_every_act_that_takes_the_current_password_is_walked_here(api: Api) -> None:
    document: dict[str, Any] = api.get("/openapi.json").json or {}
    asking = set(_ask_for_password(document))
    assert asking == {(method, f"/api{path}") for method, path in ACTS}
    templates = Path(pages_room.__file__).parent.rglob("*.html")
    forms = [
        re.search(r'action="([^"]+)"', page.read_text()) for page in templates if "current_password" in page.read_text()
    ]
    assert len(forms) == len(SENSITIVE)


def _ask_for_password(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            schema = document["components"]["schemas"].get(body.get("$ref", "").rpartition("/")[2], body)
            if "current_password" in schema.get("properties", {}):
                yield method.upper(), path


def test_an_old_session_uses_up_nothing(limited: Api, clock: ManualClock, begin: Callable[[Api], Try]) -> None:
    """A thief with an old cookie must not keep the owner from changing the password."""
    thief = begin(limited)
    assert [thief("wrong").status_code for _ in range(3)] == [403] * 3
    clock.advance(timedelta(minutes=16))
    assert all(_asks_to_sign_in(thief(password)) for password in ["wrong"] * 4 + [PASSWORD])
    assert begin(limited)(PASSWORD).status_code < 300


def test_a_stolen_session_uses_up_its_own_tries_and_no_others(limited: Api, begin: Callable[[Api], Try]) -> None:
    thief, owner = begin(limited), begin(limited)
    assert [thief("wrong").status_code for _ in range(3)] == [403] * 3
    assert thief(PASSWORD).status_code == 429
    assert owner(PASSWORD).status_code < 300


def test_wrong_passwords_use_up_no_mails_of_the_owner(realm: Realm, user_id: str) -> None:
    """The mails that a change of address causes are counted for the user, so only those that are sent count."""
    api = Api(realm, "3 per 10 minutes")
    thief, owner = (DOORS["POST /api/account/email"](api) for _ in range(2))
    assert [thief("wrong").status_code for _ in range(4)] == [403, 403, 403, 429]
    assert [owner(PASSWORD).status_code for _ in range(4)] == [202, 202, 202, 429]


def test_what_was_not_tried_is_not_counted(realm: Realm, user_id: str, busy: HashingPool) -> None:
    """Strangers who keep the hashing busy must not use up the tries of an owner who comes back as told."""
    limits = "1 per 10 minutes"
    tokens = Api(realm, limits).sign_in()
    full = Api(with_hashing(realm, pool=busy), limits)
    body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    answers = [full.post("/account/password", body, tokens["access_token"]).status_code for _ in range(2)]
    assert answers == [503, 503]
    assert [full.login().status_code for _ in range(2)] == [503, 503]


@pytest.fixture
def busy() -> Iterator[HashingPool]:
    """A pool all of whose places are taken."""
    pool, done, begun = HashingPool(Places(1, 0)), threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        done.wait(PATIENCE)

    with ThreadPoolExecutor(1) as others:
        others.submit(pool.run, work)
        assert begun.wait(PATIENCE)
        yield pool
        done.set()
