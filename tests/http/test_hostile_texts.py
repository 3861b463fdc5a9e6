"""No text from outside costs more than it should: every string at every door is measured before it is worked on.

Each door gets each text in each of its strings. What is measured is the processor time of this process, as a share of
what it takes to normalise the worst text once: so neither a busy machine nor a slow one matters. The slowest door takes
a tenth of that.

mypy cannot infer a lambda whose defaults bind the variables of its loop, which is what each ignore here is for.
"""

import base64
import dataclasses
import json
import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from werkzeug.test import TestResponse

from authserver.administration.import_users import Arrival, import_users
from authserver.clients.register_client import update_client
from authserver.clients.registration_tokens import MOST_USES, MadeToken, Offer, make_registration_token
from authserver.protocol.device_code import DEVICE_GRANT
from authserver.realm import Realm
from authserver.records.client_metadata import SETTABLE
from authserver.records.client_settings import ATTRIBUTES
from authserver.web.oauth import DOORS
from tests.support.people.api import Api, content
from tests.support.people.pages import Pages
from tests.support.people.person import BY
from tests.support.people.television import register_television
from tests.support.world.clock import ManualClock
from tests.support.world.databases import SqliteDatabases
from tests.support.world.entropy import SeededEntropy
from tests.support.world.realm import EMAIL, PASSWORD, add_user, build_realm

LONGEST_BODY, LONGEST_LINE = 65_000, 7_000  # bytes: what the guard and the HTTP server let through

PATTERNS = {
    "combining marks in the wrong order": "\u0301\u0316",
    "Hangul": "\u1112\u1161\u11ab",
    "ligatures": "\ufdfa",
    "percent signs": "%",
    "percent encoded": "%25%32%35",
    "digits": "9",
    "spaces": " ",
    "words": "a ",
    "separators": "-._",
    "addresses": "a@",
    "labels": "a.",
    "IDNA": "xn--",
    "NULs": "\0",
    "brackets": "[",
    "escapes": "\\u",
    "commas": "a,;q=0.1,",
    "quotes": '"',
}


FEW = (
    "combining marks in the wrong order",
    "Hangul",
    "percent signs",
    "digits",
    "spaces",
    "NULs",
    "brackets",
    "commas",
)
"""For the doors that are many, or slow."""


def _texts(longest: int, cost: Callable[[str], int], names: Iterable[str] = PATTERNS) -> Iterator[str]:
    """Each pattern, as often as `longest` bytes hold it when a character of it costs what it does at this door."""
    for name in names:
        pattern = PATTERNS[name]
        yield pattern * (longest // cost(pattern))
        yield pattern * (longest // cost(pattern) - 2) + "!\n"


TEXTS = list(_texts(LONGEST_BODY, lambda pattern: len(json.dumps(pattern, ensure_ascii=False).encode()) - 2))
FORM_TEXTS = list(_texts(LONGEST_BODY, lambda pattern: len(quote(pattern)), FEW))
LINE_TEXTS = list(_texts(LONGEST_LINE, lambda pattern: len(quote(pattern)), FEW))
NESTED = ["[" * 30_000 + "]" * 30_000, '{"a":' * 10_000 + "1" + "}" * 10_000, "[" * 60_000, "9" * 60_000, "-" * 60_000]


class Meter:
    """Measures what each act costs."""

    def __init__(self) -> None:
        """Measure what no act may do."""
        begun = time.process_time()
        unicodedata.normalize("NFC", TEXTS[0])
        self.most = (time.process_time() - begun) / 2
        self.worst = (0.0, "")
        self.count = 0

    def answer(self, act: Callable[[], TestResponse], what: str) -> None:
        """Answered, without a failure, in time."""
        begun = time.process_time()
        response = act()
        took = time.process_time() - begun
        self.count += 1
        self.worst = max(self.worst, (took, what))
        assert response.status_code < 500, (what, response.status_code)
        assert took < self.most, (what, took)


@pytest.fixture
def realm(sqlite_databases: SqliteDatabases) -> Iterator[Realm]:
    """On one database: what a text costs is decided before any is asked."""
    realm = build_realm(sqlite_databases.migrated(), ManualClock(), SeededEntropy())
    yield realm
    realm.database.dispose()


@pytest.fixture
def meter() -> Meter:
    """See `Meter`."""
    return Meter()


def _members(document: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any], str]]:
    """Method, path, example and each string member of every body that the OpenAPI document describes."""
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if "requestBody" not in operation:
                continue
            described = operation["requestBody"]["content"]["application/json"]
            schema = document["components"]["schemas"][described["schema"]["$ref"].rpartition("/")[2]]
            example = described["example"]
            for member, kind in schema["properties"].items():
                if kind.get("type") == "string":
                    yield method.upper(), path, example, member


def test_every_string_member_of_the_json_api(realm: Realm, meter: Meter) -> None:
    api, _ = Api(realm), add_user(realm)
    token = api.sign_in()["access_token"]
    found = list(_members(content(api.get("/openapi.json"), 200)))
    assert {"email", "password", "name", "token", "new_email", "device_name"} <= {member for *_, member in found}
    headers = {"Authorization": f"Bearer {token}"}
    for method, path, example, member in found:
        for value in [*(json.dumps(text, ensure_ascii=False) for text in TEXTS), *NESTED]:
            others = json.dumps({name: one for name, one in example.items() if name != member})[1:-1]
            body = "{" + ", ".join(part for part in (others, f"{json.dumps(member)}: {value}") if part) + "}"
            meter.answer(
                lambda method=method, path=path, body=body: api.client.open(  # type: ignore[misc]
                    path, method=method, data=body.encode(), content_type="application/json", headers=headers
                ),
                f"{method} {path} {member} {value[:20]!a}",
            )
    assert meter.count > 20 * 20


_CREDENTIALS = ("client_id", "client_secret", "client_assertion", "client_assertion_type")
FORM_PARAMETERS = {
    "/oauth/token": (
        *("grant_type", *_CREDENTIALS, "refresh_token", "code", "redirect_uri", "code_verifier"),
        *("scope", "resource", "device_code"),
    ),
    "/oauth/revoke": ("token", "token_type_hint", *_CREDENTIALS),
    "/oauth/introspect": ("token", "token_type_hint", *_CREDENTIALS),
    "/oauth/revocations": ("cursor", *_CREDENTIALS),
    "/oauth/userinfo": ("access_token",),
    "/oauth/par": (
        *(*_CREDENTIALS, "response_type", "redirect_uri", "scope", "state", "nonce", "prompt", "claims"),
        *("code_challenge", "resource", "request", "request_uri", "login_hint"),
    ),
    "/oauth/device_authorization": (*_CREDENTIALS, "scope", "resource"),
}
TAKES_JSON = {"/oauth/register"}
PUSHED = {"response_type": "code", "code_challenge": "a" * 43, "code_challenge_method": "S256"}
"""What a push needs besides."""
GRANTS = {
    "refresh_token": {"grant_type": "refresh_token"},
    "code": {"grant_type": "authorization_code", "code": "c", "redirect_uri": "https://a.example/"},
    "redirect_uri": {"grant_type": "authorization_code", "code": "c", "code_verifier": "v" * 43},
    "code_verifier": {"grant_type": "authorization_code", "code": "c", "redirect_uri": "https://a.example/"},
    "device_code": {"grant_type": DEVICE_GRANT},
}


def test_every_member_of_a_registration(realm: Realm, meter: Meter) -> None:
    open_realm = dataclasses.replace(realm, registers_clients=True)
    made = make_registration_token(
        open_realm, Offer(scope=("openid",), audience=(), uses=MOST_USES, lifetime=timedelta(days=1))
    )
    assert isinstance(made, MadeToken)
    api, headers = Api(open_realm), {"Authorization": f"Bearer {made.text.reveal()}"}
    members = {attribute.metadata or name for name, attribute in ATTRIBUTES.items() if name in SETTABLE}
    for member in sorted({*members, "client_uri#de", "grant_types", "software_statement"}):
        for text in FORM_TEXTS:
            for value in (text, [text], {text: text}):
                body = {"client_name": "Notes", "redirect_uris": ["https://a.example/"], member: value}
                meter.answer(
                    lambda body=body: api.client.post("/oauth/register", json=body, headers=headers),  # type: ignore[misc]
                    f"{member} {text[:10]!a}",
                )


def test_every_parameter_of_the_oauth_endpoints(realm: Realm, meter: Meter) -> None:
    posted = {door.path for door in DOORS if "POST" in door.methods} - TAKES_JSON
    assert posted == set(FORM_PARAMETERS), "a new endpoint: name its parameters"
    api, television = Api(realm), register_television(realm)
    update_client(realm, "first-party", {"redirect_uris": ("https://a.example/",)})
    bases = {
        "/oauth/par": {**PUSHED, "redirect_uri": "https://a.example/"},
        "/oauth/device_authorization": {"client_id": television},
    }
    for path, parameters in FORM_PARAMETERS.items():
        for parameter in parameters:
            for text in FORM_TEXTS:
                form = {"client_id": "first-party", "token": "t", **bases.get(path, GRANTS.get(parameter, {}))}
                form |= {"client_id": television} if parameter == "device_code" else {}
                form[parameter] = text
                meter.answer(
                    lambda path=path, form=form: api.client.post(path, data=form),  # type: ignore[misc]
                    f"{path} {parameter} {text[:10]!a}",
                )


REQUEST_PARAMETERS = (
    *("client_id", "redirect_uri", "response_type", "response_mode", "state", "scope", "nonce", "prompt", "max_age"),
    *("login_hint", "id_token_hint", "claims", "code_challenge", "code_challenge_method", "resource", "ui_locales"),
    *("post_logout_redirect_uri", "request", "request_uri", "token", "next", "choice", "after", "cursor", "anything"),
)


def test_every_parameter_in_the_address_of_a_page(realm: Realm, meter: Meter) -> None:
    add_user(realm)
    api = Api(realm)
    pages = Pages(api)
    pages.open_and_send("/login", email=EMAIL, password=PASSWORD)
    rules = {rule.rule for rule in api.app.url_map.iter_rules() if "GET" in (rule.methods or ())}
    assert {"/login", "/oauth/authorize", "/account/events", "/reset"} <= rules
    base = "response_type=code&client_id=first-party&code_challenge=" + "a" * 43 + "&code_challenge_method=S256"
    for path in sorted(rule for rule in rules if "<" not in rule and not rule.startswith("/api")):
        for parameter in REQUEST_PARAMETERS if path in {"/oauth/authorize", "/oauth/end-session"} else ("token",):
            for text in LINE_TEXTS:
                url = f"{path}?{base}&{parameter}={quote(text)}"
                meter.answer(lambda url=url: pages.get(url), f"{path} {parameter} {text[:10]!a}")  # type: ignore[misc]
    for path, parameter in (
        ("/login", "next"),
        ("/login", "request"),
        ("/account/events", "after"),
        ("/consent", "request"),
    ):
        for text in LINE_TEXTS:
            url = f"{path}?{parameter}={quote(text)}"
            meter.answer(lambda url=url: pages.get(url), f"{path} {parameter} {text[:10]!a}")  # type: ignore[misc]


PAGE_FIELDS = {
    "/login": ("email", "password", "request", "next"),
    "/signup": ("email", "password", "name", "request"),
    "/forgot": ("email", "request"),
    "/reset": ("token", "new_password"),
    "/email/confirm": ("token", "disown"),
    "/consent": ("request", "decision"),
    "/account": ("name", "phone_number", "address"),
    "/account/password": ("current_password", "new_password", "logout_devices"),
    "/account/email": ("new_email", "current_password"),
    "/account/sessions": ("end",),
    "/account/apps": ("end", "client_id"),
    "/account/delete": ("current_password",),
}


def test_every_field_of_the_forms_on_pages(realm: Realm, meter: Meter) -> None:
    add_user(realm)
    pages = Pages(Api(realm))
    assert pages.open_and_send("/login", email=EMAIL, password=PASSWORD).status_code in {200, 303}
    for path, fields in PAGE_FIELDS.items():
        for field in (*fields, "csrf_token"):
            for text in FORM_TEXTS:
                others = {"email": EMAIL, "password": PASSWORD, "current_password": "wrong", field: text}
                meter.answer(
                    lambda path=path, others=others: pages.post(path, **others),  # type: ignore[misc]
                    f"{path} {field} {text[:10]!a}",
                )


HEADERS = (
    *("User-Agent", "Accept", "Accept-Language", "Accept-Encoding", "Origin", "Referer", "Sec-Fetch-Site", "Range"),
    *("If-None-Match", "If-Modified-Since", "X-Forwarded-For", "Forwarded", "Content-Type", "Cookie", "DPoP"),
    *("Access-Control-Request-Method", "Access-Control-Request-Headers", "Authorization"),
)
COOKIES = (
    *("authserver=", "authserver-device=", "authserver-form=", "authserver-refresh-first-party="),
    *("authserver-request-visit=", ""),
)


def test_every_header_that_somebody_reads(realm: Realm, meter: Meter) -> None:
    """Headers are Latin-1 (RFC 9110 §5.5): UTF-8 arrives as other characters, as many as it has bytes."""
    api = Api(realm)
    lines = [
        text.encode()[:LONGEST_LINE].decode("latin-1").replace("\n", "") for text in LINE_TEXTS if "\0" not in text
    ]
    values = dict.fromkeys(HEADERS, lines)
    values["Cookie"] = [f"{cookie}{line}" for cookie in COOKIES for line in lines]
    values["Authorization"] = [
        *lines,
        *(f"Bearer {line}" for line in lines),
        *(f"Bearer {line}.{line[:50]}.{line[:50]}" for line in lines),
        *(f"Basic {base64.b64encode(part).decode()}" for text in LINE_TEXTS for part in _credentials(text)),
    ]
    for header, found in values.items():
        for value in found:
            for method, path in (("POST", "/oauth/token"), ("GET", "/api/account"), ("GET", "/login")):
                headers = {header: value}
                form = {"data": {"grant_type": "refresh_token", "refresh_token": "r"}} if method == "POST" else {}
                meter.answer(
                    lambda method=method, path=path, headers=headers, form=form: api.client.open(  # type: ignore[misc]
                        path, method=method, headers=headers, **form
                    ),
                    f"{header} {value[:10]!a} at {path}",
                )


def _credentials(text: str) -> Iterator[bytes]:
    for one in (text[:2500], quote(text)[:2500]):
        yield f"{one}:secret".encode()
        yield f"first-party:{one}".encode()


def test_every_member_of_a_line_that_is_imported(realm: Realm, meter: Meter) -> None:
    """An operator's file may come from a system where anybody registered."""
    for text in (*TEXTS, *(pattern * 200 for pattern in PATTERNS.values())):
        given: dict[str, Any] = {"email": EMAIL, "name": "", "password_hash": None, "roles": ()}
        for member in given:
            value: Any = (text,) if member == "roles" else text
            arrival = Arrival(line=1, email_verified=True, **{**given, member: value})
            begun = time.process_time()
            import_users(realm, [arrival], by=BY, dry_run=True)
            assert time.process_time() - begun < meter.most, (member, text[:10])
