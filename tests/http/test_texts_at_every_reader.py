"""A text that a database cannot keep is refused by whoever reads it, on both databases alike, and never a 5xx.

PostgreSQL takes no NUL, and no driver a lone surrogate, also where a text is only looked for.
"""

import base64
from collections.abc import Iterator
from itertools import chain, product
from typing import Any
from urllib.parse import quote, urlsplit

from authserver.realm import Realm
from tests.support.people.api import Api
from tests.support.world.realm import EMAIL, PASSWORD, add_user

_NUL, _SURROGATE = "a\0b", "a\ud800b"
_ENCODED = ("a%00b", "%ED%A0%80", "%FF%FE")
_FORM_DOORS = ("/oauth/token", "/oauth/revoke", "/oauth/introspect")
_QUERY = (
    "client_id",
    "redirect_uri",
    "state",
    "scope",
    "nonce",
    "prompt",
    "request",
    "next",
    "token",
    "after",
    "cursor",
)
_HEADERS = ("User-Agent", "Accept-Language", "Origin", "Referer", "If-None-Match", "X-Forwarded-For", "DPoP")

Call = tuple[str, str, dict[str, Any]]


def basics() -> Iterator[str]:
    """What claims to be a client in the header."""
    for text in (_NUL.encode(), *(one.encode() for one in _ENCODED), b"\xed\xa0\x80"):
        for pair in (text + b":secret", b"resource:" + text):
            yield f"Basic {base64.b64encode(pair).decode()}"


def list_credentials() -> Iterator[Call]:
    for header in basics():
        for door in _FORM_DOORS:
            form = {"grant_type": "refresh_token", "token": "t", "refresh_token": "r"}
            yield "POST", door, {"data": form, "headers": {"Authorization": header}}
        yield "GET", "/oauth/revocations", {"headers": {"Authorization": header}}


def list_addresses(rules: list[str]) -> Iterator[Call]:
    query = "&".join(f"{name}=a%00b" for name in _QUERY)
    for rule in rules:
        yield "GET", f"{rule}?{query}", {}
        for name, text in product(_QUERY if "oauth" in rule else ("request", "after", "token"), _ENCODED):
            yield "GET", f"{rule}?client_id=c&redirect_uri=https://a.example/&{name}={text}", {}
    for text in _ENCODED:
        for method, path in (("DELETE", "/api/account/sessions/{}"), ("GET", "/api/{}"), ("GET", "/assets/{}")):
            yield method, path.format(text), {}


def list_forms() -> Iterator[Call]:
    kind = {"content_type": "application/x-www-form-urlencoded"}
    names = (
        "client_id",
        "client_secret",
        "token",
        "refresh_token",
        "scope",
        "code",
        "redirect_uri",
        "client_assertion",
    )
    for door, name, text in product(_FORM_DOORS, names, _ENCODED):
        yield "POST", door, {"data": f"grant_type=refresh_token&client_id=c&{name}={text}", **kind}
    paths = ("/login", "/signup", "/forgot", "/reset", "/consent", "/account/sessions", "/account/apps")
    for path, text in product(paths, _ENCODED):
        members = ("email", "password", "token", "end", "name", "request")
        yield "POST", path, {"data": "&".join(f"{name}={text}" for name in members), **kind}


def list_bodies() -> Iterator[Call]:
    paths = ("/api/login", "/api/register", "/api/password/forgot", "/api/password/reset", "/api/email/confirm")
    members = ("email", "password", "client_id", "device_id", "device_name", "scope", "token", "name")
    for path, name, text in product(paths, members, (_NUL, _SURROGATE)):
        yield "POST", path, {"json": {"email": EMAIL, "password": PASSWORD, name: text}}


def list_headers() -> Iterator[Call]:
    for raw in ("a\x01b", "\x7f", "\xed\xa0\x80"):
        for name in _HEADERS:
            yield "POST", "/api/login", {"json": {"email": EMAIL, "password": PASSWORD}, "headers": {name: raw}}
        for cookie in ("authserver", "__Host-authserver", "authserver-refresh-first-party", "authserver-device"):
            yield "GET", "/account", {"headers": {"Cookie": f"{cookie}={quote(raw)}"}}
            yield "POST", "/api/refresh", {"json": {}, "headers": {"Cookie": f'{cookie}="a\\000b"'}}


def test_no_text_is_a_failure_of_the_server(realm: Realm) -> None:
    add_user(realm)
    api = Api(realm)
    token = api.sign_in()["access_token"]
    rules = sorted(
        {rule.rule for rule in api.app.url_map.iter_rules() if "GET" in (rule.methods or ()) and "<" not in rule.rule}
        | {"/oauth/revocations"}
    )
    calls = chain(list_credentials(), list_addresses(rules), list_forms(), list_bodies(), list_headers())
    for method, address, request in calls:
        headers = {"Authorization": f"Bearer {token}", **request.pop("headers", {})}
        answer = api.client.open(address, method=method, headers=headers, **request)
        assert answer.status_code < 500, (method, urlsplit(address).path, address, request)
