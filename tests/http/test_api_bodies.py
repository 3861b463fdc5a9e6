"""What request bodies may be, at the two doors that strangers reach."""

import json
from collections.abc import Iterator

import pytest

from authserver.realm import Realm
from tests.support.api import Api, content, field_errors, problem
from tests.support.clock import ManualClock
from tests.support.databases import SqliteDatabases
from tests.support.entropy import SeededEntropy
from tests.support.realm import EMAIL, PASSWORD, build_realm

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


@pytest.mark.parametrize("member", ["email", "password", "name", "client_id", "scope", "device_id", "device_name"])
@pytest.mark.parametrize("escape", [r"\u0000", r"\ud800", r"\udfff\ud800"])
def test_nul_and_lone_surrogates_are_refused_in_every_member(realm: Realm, member: str, escape: str) -> None:
    """ASVS 6.2.8 and fault F30: a clean 422 on both databases, whatever the member."""
    path = "/register" if member == "name" else "/login"
    body = json.dumps(_body(**{member: f"{CANARY}@"})).replace(f"{CANARY}@", f"{CANARY}{escape}")
    response = Api(realm).post_raw(path, body.encode())
    problem(response, 422, "invalid_input")
    assert CANARY not in response.text


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
        ("device_name", "a" * 101, "invalid_device_name"),
        ("device_name", "two\nlines", "invalid_device_name"),
        ("device_name", "\u2028", "invalid_device_name"),
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
