"""What request bodies may be, at the two doors that strangers reach."""

import json
from collections.abc import Iterator

import pytest

from authserver.realm import Realm
from tests.support.people.api import Api, content, field_errors, problem
from tests.support.world.clock import ManualClock
from tests.support.world.databases import SqliteDatabases
from tests.support.world.entropy import SeededEntropy
from tests.support.world.realm import EMAIL, PASSWORD, add_user, build_realm

DOORS = ("/register", "/login")
CANARY = "swordfish-4711-canary"


@pytest.fixture(scope="module")
def api(sqlite_databases: SqliteDatabases) -> Iterator[Api]:
    """One application for all that is refused before any database is asked."""
    realm = build_realm(sqlite_databases.migrated(), ManualClock(), SeededEntropy())
    yield Api(realm)
    realm.database.dispose()


def _body(**members: object) -> dict[str, object]:
    return {"email": EMAIL, "password": CANARY, **members}


@pytest.mark.parametrize("path", DOORS)
@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "text/plain", "text/json", ""])
def test_another_media_type_is_refused(api: Api, path: str, content_type: str) -> None:
    """ASVS 3.5.2: a page elsewhere can send these without a preflight; nothing here listens to them."""
    response = api.post_raw(path, json.dumps(_body()).encode(), content_type)
    problem(response, 415, "unsupported_media_type")


@pytest.mark.parametrize("path", DOORS)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"email":"a@example.test","email":"b@example.test","password":"swordfish-4711-canary"}',
        b'{"email":"a@example.test","password":NaN}',
        b'{"email":"a@example.test","password":1e999}',
        b'{"email":"a@example.test","password":' + b"9" * 5000 + b"}",
        b'{"email":' + b"[" * 20000 + b"]" * 20000 + b"}",
        b'{"email":"a@example.test","password":"swordfish-4711-canary\x00"}',
        b'\xef\xbb\xbf{"email":"a@example.test","password":"swordfish-4711-canary"}',
        '{"email":"ä@example.test","password":"swordfish-4711-canary"}'.encode("latin-1"),
        '{"email":"a@example.test","password":"swordfish-4711-canary"}'.encode("utf-16"),
    ],
    ids=["empty", "broken", "duplicate", "nan", "infinite", "huge", "deep", "nul", "bom", "latin-1", "utf-16"],
)
def test_what_is_not_json_with_one_meaning_is_refused(api: Api, path: str, body: bytes) -> None:
    """ASVS 15.3.7 (duplicate members), fault F18."""
    response = api.post_raw(path, body)
    problem(response, 400, "invalid_json")
    assert CANARY not in response.text


@pytest.mark.parametrize("path", DOORS)
@pytest.mark.parametrize(
    ("members", "errors"),
    [
        ({"password": 12345678901}, {"password": "wrong_type"}),
        ({"password": True}, {"password": "wrong_type"}),
        ({"password": [CANARY]}, {"password": "wrong_type"}),
        ({"email": None}, {"email": "wrong_type"}),
        ({"email": {"a": CANARY}}, {"email": "wrong_type"}),
        ({"roles": ["admin"]}, {"roles": "unknown_member"}),
        ({"email_verified": True}, {"email_verified": "unknown_member"}),
        ({CANARY: "x"}, {"": "unknown_member"}),
        ({"email": 1, "password": 2, "x": 3}, {"email": "wrong_type", "password": "wrong_type", "x": "unknown_member"}),
    ],
)
def test_wrong_types_and_unknown_members_are_told_by_name(
    api: Api, path: str, members: dict[str, object], errors: dict[str, str]
) -> None:
    """ASVS 15.3.3 (mass assignment), ASVS 15.3.5 (type confusion)."""
    response = api.post(path, _body(**members))
    assert field_errors(response) == errors
    assert CANARY not in response.text


@pytest.mark.parametrize("path", DOORS)
def test_missing_members_are_told_together(api: Api, path: str) -> None:
    assert field_errors(api.post(path, {})) == {"email": "missing", "password": "missing"}


@pytest.mark.parametrize("path", DOORS)
@pytest.mark.parametrize("body", [[], "text", 1, None, True])
def test_a_body_that_is_no_object_is_refused(api: Api, path: str, body: object) -> None:
    assert field_errors(api.post_raw(path, json.dumps(body).encode())) == {"": "wrong_type"}


@pytest.mark.parametrize("member", ["email", "password", "name", "client_id", "scope", "device_id"])
@pytest.mark.parametrize("escape", [r"\u0000", r"\ud800", r"\udfff\ud800"])
def test_nul_and_lone_surrogates_are_refused_in_every_member_but_labels(realm: Realm, member: str, escape: str) -> None:
    """ASVS 6.2.8 and fault F30: a clean 422 on both databases, whatever the member."""
    path = "/register" if member == "name" else "/login"
    body = json.dumps(_body(**{member: f"{CANARY}@"})).replace(f"{CANARY}@", f"{CANARY}{escape}")
    response = Api(realm).post_raw(path, body.encode())
    problem(response, 422, "invalid_input")
    assert CANARY not in response.text


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("\u0639\u0644\u06cc\u200c\u0631\u0636\u0627\u2019s iPhone", None),
        ("\U0001f468\u200d\U0001f469\u200d\U0001f467 phone", None),
        ("Ada\u00a0Lovelace", None),
        ("a" * 60_000, "a" * 100),
        ("two\nlines\0", "two lines"),
        ("left \u202ethgir", "left thgir"),
        ("cut in the middle of a character: \ud83d", "cut in the middle of a character:"),
        ("\u2028", ""),
    ],
    ids=ascii,
)
def test_the_name_of_a_device_keeps_nobody_out(realm: Realm, sent: str, kept: str | None) -> None:
    """It is cleaned and cut: on both databases, and whatever a program calls a phone."""
    add_user(realm)
    api = Api(realm)
    tokens = content(api.post_raw("/login", json.dumps(_body(password=PASSWORD, device_name=sent)).encode()), 200)
    (session,) = content(api.get("/account/sessions", tokens["access_token"]), 200)["sessions"]
    assert session["device_name"] == (sent if kept is None else kept)


@pytest.mark.parametrize(
    "name", ["\u0639\u0644\u06cc\u200c\u0631\u0636\u0627", "\u0dc1\u0dca\u200d\u0dbb\u0dd3", "Jean\u00a0Paul"]
)
def test_people_have_the_names_that_they_have(api: Api, name: str) -> None:
    """Persian and Sinhala need joiners."""
    email = f"{ord(name[-1])}@example.test"
    content(api.post("/register", _body(email=email, password=PASSWORD, name=name)), 201)
    tokens = api.sign_in(email)
    assert content(api.get("/account", tokens["access_token"]), 200)["name"] == name
    body = json.dumps({"name": f"{name} \U0001f468\u200d\U0001f469"}).encode()
    patched = api.call("PATCH", "/account", tokens["access_token"], data=body, content_type="application/json")
    assert content(patched, 200)["name"].startswith(name)
    refused = api.call("PATCH", "/account", tokens["access_token"], json={"name": f"{name}\u202e"})
    assert field_errors(refused) == {"name": "invalid_name"}


def test_a_pair_of_surrogates_is_a_character(api: Api) -> None:
    body = json.dumps({"email": EMAIL, "password": PASSWORD, "name": "Ada 😀"})
    assert "\\ud83d\\ude00" in body
    content(api.post_raw("/register", body.encode()), 201)


@pytest.mark.parametrize(
    ("member", "value", "code"),
    [
        ("device_id", "", "invalid_device_id"),
        ("device_id", "a b", "invalid_device_id"),
        ("device_id", "a" * 65, "invalid_device_id"),
        ("device_id", "gerät", "invalid_device_id"),
        ("device_id", None, "wrong_type"),
        ("device_name", 7, "wrong_type"),
        ("scope", "", "invalid_scope"),
        ("scope", "openid  profile", "invalid_scope"),
        ("scope", "openid\tprofile", "invalid_scope"),
        ("scope", 'a"b', "invalid_scope"),
        ("client_id", 7, "wrong_type"),
    ],
)
def test_members_of_a_sign_in_have_their_forms(api: Api, member: str, value: object, code: str) -> None:
    assert field_errors(api.post("/login", _body(**{member: value}))) == {member: code}


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/login", 405, "method_not_allowed"),
        ("GET", "/nothing", 404, "not_found"),
        ("TRACE", "/account", 405, "method_not_allowed"),
    ],
)
def test_refusals_of_the_framework_have_the_same_shape(
    api: Api, method: str, path: str, status: int, code: str
) -> None:
    """ASVS 13.4.4: no TRACE."""
    problem(api.call(method, path), status, code)


def test_a_wrong_method_is_told_the_right_one(api: Api) -> None:
    assert "POST" in api.get("/login").headers["Allow"]


def test_a_body_that_is_too_large_is_refused(api: Api) -> None:
    """Fault F18."""
    response = api.post("/login", _body(email="a" * 100_000))
    assert response.status_code == 413
