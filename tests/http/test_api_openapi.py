"""The OpenAPI document is true, and the page that shows it needs nobody else (contract §3)."""

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from werkzeug.test import TestResponse

from authserver import __version__
from authserver.protocol.text import LONGEST_TEXT
from tests.support.people.api import Api, content
from tests.support.world.realm import EMAIL, ISSUER, PASSWORD

OPEN_TO_ALL = {
    "/api/register",
    "/api/login",
    "/api/refresh",
    "/api/password/forgot",
    "/api/password/reset",
    "/api/email/confirm",
    "/api/email/revert",
    "/api/email/resend",
    "/api/account/compromised",
}
OF_THE_DOCUMENT = {"/api/openapi.json", "/api/docs", "/api/docs.css"}


@pytest.fixture
def document(api: Api) -> dict[str, Any]:
    """The document as it is served."""
    return content(api.get("/openapi.json"), 200)


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            yield method.upper(), path, operation


def _validate(document: dict[str, Any], schema: dict[str, Any], value: object) -> None:
    validator = Draft202012Validator({**schema, "components": document["components"]})
    validator.validate(value)


def test_every_route_is_described_and_nothing_else(api: Api, document: dict[str, Any]) -> None:
    """ASVS 6.1.3: no hidden way in."""
    served = {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in api.app.url_map.iter_rules()
        if rule.rule.startswith("/api/") and rule.rule not in OF_THE_DOCUMENT
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert {(method, path) for method, path, _ in _operations(document)} == served


def test_the_guide_lists_every_call_and_no_other(document: dict[str, Any]) -> None:
    """ASVS 6.1.3: docs/api.md."""
    guide = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| ([A-Z]+) `(/api/[^`]*)` \|", guide, re.MULTILINE)
    assert sorted(listed) == sorted((method, path) for method, path, _ in _operations(document))


def test_the_document_says_what_it_is(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    assert document["info"]["version"] == __version__
    assert document["servers"] == [{"url": ISSUER}]
    assert document["components"]["securitySchemes"] == {
        "accessToken": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    }


def test_every_schema_is_one_and_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    references = set(re.findall(r'"\$ref": ?"#/components/schemas/([^"]+)"', json.dumps(document)))
    assert references
    assert references <= document["components"]["schemas"].keys()


def test_operations_are_named_once_and_tell_what_they_need(document: dict[str, Any]) -> None:
    """What takes an access token says so and documents the 401; every operation documents its worst."""
    names = [operation["operationId"] for _, _, operation in _operations(document)]
    assert len(names) == len(set(names))
    for method, path, operation in _operations(document):
        open_to_all = path in OPEN_TO_ALL
        assert operation.get("security") == (None if open_to_all else [{"accessToken": []}]), (method, path)
        assert operation["summary"]
        assert {"500", "503"} <= operation["responses"].keys()
        assert open_to_all or "401" in operation["responses"]


def test_examples_fit_their_schemas(document: dict[str, Any]) -> None:
    checked = 0
    for _, _, operation in _operations(document):
        contents = [*operation.get("requestBody", {}).get("content", {}).values()]
        contents += [part for answer in operation["responses"].values() for part in answer.get("content", {}).values()]
        for part in contents:
            examples = [example["value"] for example in part.get("examples", {}).values()]
            for example in examples + ([part["example"]] if "example" in part else []):
                _validate(document, part["schema"], example)
                checked += 1
    assert checked > 20


def test_real_answers_are_the_ones_described(api: Api, document: dict[str, Any]) -> None:
    """Status, media type, members and, for refusals, the code: all are in the document."""

    def check(response: TestResponse, method: str, path: str) -> TestResponse:
        described = document["paths"][path][method.lower()]["responses"][str(response.status_code)]
        if not described.get("content"):
            assert response.data == b""
            return response
        part = described["content"][response.content_type]
        _validate(document, part["schema"], response.json)
        if response.status_code >= 400:
            assert content(response, response.status_code)["code"] in part["examples"]
        return response

    body = {"email": EMAIL, "password": PASSWORD}
    for _ in range(2):
        check(api.post("/register", body), "POST", "/api/register")
    check(api.post("/register", {}), "POST", "/api/register")
    check(api.post_raw("/register", b"{"), "POST", "/api/register")
    check(api.post_raw("/login", b"", "text/plain"), "POST", "/api/login")
    check(api.login(password="wrong"), "POST", "/api/login")
    check(api.login(client_id="nobody"), "POST", "/api/login")
    check(api.login(scope="nothing"), "POST", "/api/login")
    token = content(check(api.login(), "POST", "/api/login"), 200)["access_token"]
    here = {"Origin": ISSUER}
    check(api.call("POST", "/refresh", json={}, headers=here), "POST", "/api/refresh")
    check(api.login(delivery="cookie"), "POST", "/api/login")
    check(api.call("POST", "/refresh", json={}), "POST", "/api/refresh")
    check(api.call("POST", "/refresh", json={"client_id": "nobody"}, headers=here), "POST", "/api/refresh")
    check(api.call("POST", "/refresh", json={"scope": "nothing"}, headers=here), "POST", "/api/refresh")
    check(api.call("POST", "/refresh", json={}, headers=here), "POST", "/api/refresh")
    for method, path, _ in [*_operations(document)]:
        if path not in OPEN_TO_ALL:
            check(api.call(method, path.removeprefix("/api").format(sid="x")), method, path)
    for path in ("/password/forgot", "/email/resend"):
        check(api.post(path, {"email": EMAIL}), "POST", f"/api{path}")
    for path in ("/email/confirm", "/email/revert", "/account/compromised"):
        check(api.post(path, {"token": "x"}), "POST", f"/api{path}")
    check(api.post("/password/reset", {"token": "x", "new_password": PASSWORD}), "POST", "/api/password/reset")
    check(api.get("/account", token), "GET", "/api/account")
    check(api.get("/account/export", token), "GET", "/api/account/export")
    check(api.call("PATCH", "/account", token, json={"name": "Ada"}), "PATCH", "/api/account")
    check(
        api.post("/account/email", {"new_email": "x", "current_password": PASSWORD}, token),
        "POST",
        "/api/account/email",
    )
    check(
        api.post("/account/email", {"new_email": "b@example.test", "current_password": "x"}, token),
        "POST",
        "/api/account/email",
    )
    change = {"current_password": PASSWORD, "new_password": "a stapler for every horse"}
    check(api.post("/account/password", {**change, "current_password": "x"}, token), "POST", "/api/account/password")
    token = content(check(api.post("/account/password", change, token), "POST", "/api/account/password"), 200)[
        "access_token"
    ]
    check(api.call("DELETE", "/account", token, json={"current_password": "x"}), "DELETE", "/api/account")
    check(api.get("/account/sessions", token), "GET", "/api/account/sessions")
    check(api.call("DELETE", "/account/sessions/x", token), "DELETE", "/api/account/sessions/{sid}")
    check(api.post("/account/sessions/revoke-others", token=token), "POST", "/api/account/sessions/revoke-others")
    check(api.post("/logout", token=token), "POST", "/api/logout")
    check(api.get("/account", token), "GET", "/api/account")
    check(api.get("/account", "x"), "GET", "/api/account")


@pytest.mark.parametrize(
    "body",
    [
        {"email": EMAIL, "password": 1},
        {"email": EMAIL},
        {"email": EMAIL, "password": PASSWORD, "role": "admin"},
        {"email": EMAIL, "password": PASSWORD, "name": None},
        {"email": EMAIL, "password": "horse\0battery"},
        {"email": EMAIL, "password": "x" * (LONGEST_TEXT + 1)},
    ],
)
def test_what_the_document_refuses_the_server_refuses(api: Api, document: dict[str, Any], body: object) -> None:
    schema = document["components"]["schemas"]["RegisterBody"]
    assert not Draft202012Validator(schema).is_valid(body)
    assert api.post("/register", body).status_code == 422


@pytest.mark.parametrize(
    "member",
    [{"scope": " openid"}, {"scope": "a  b"}, {"device_id": ""}, {"device_id": "a/b"}, {"device_token": "\0"}],
)
def test_what_the_document_refuses_at_a_sign_in_the_server_refuses(
    api: Api, document: dict[str, Any], member: dict[str, str]
) -> None:
    schema = document["components"]["schemas"]["LoginBody"]
    assert not Draft202012Validator(schema).is_valid({"email": EMAIL, "password": PASSWORD, **member})
    assert api.login(**member).status_code == 422


def test_a_path_offers_only_the_methods_that_the_document_lists(api: Api, document: dict[str, Any]) -> None:
    for path, operations in document["paths"].items():
        answer = api.call("OPTIONS", path.removeprefix("/api").format(sid="x"))
        assert answer.allow.as_set() - {"head", "options"} == set(operations), path


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.targets: set[str] = set()
        self.anchors: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            self.attributes.add(name)
            if name in {"href", "src"}:
                self.targets.add(value or "")
            if name == "id":
                self.anchors.add(f"#{value}")


def test_the_page_needs_no_script_and_no_other_host(api: Api) -> None:
    """ASVS 3.4.3: it works under a policy that forbids both."""
    response = api.get("/docs")
    page = _Links()
    page.feed(response.text)
    assert response.content_type == "text/html; charset=utf-8"
    assert "script" not in page.tags
    assert not {name for name in page.attributes if name.startswith("on")} | (page.attributes & {"style"})
    assert {target for target in page.targets if not target.startswith("#")} == {"docs.css", "openapi.json"}
    assert {target for target in page.targets if target.startswith("#")} <= page.anchors
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "style-src 'self'" in policy
    stylesheet = api.get("/docs.css")
    assert stylesheet.content_type == "text/css; charset=utf-8"
    assert "prefers-color-scheme: dark" in stylesheet.text
    assert "url(" not in stylesheet.text


def test_the_page_shows_every_operation_member_and_code(api: Api, document: dict[str, Any]) -> None:
    page = api.get("/docs").text
    for method, path, operation in _operations(document):
        assert f"<b>{method}</b> <code>{path}</code>" in page
        for answer in operation["responses"].values():
            for part in answer.get("content", {}).values():
                assert all(f"<code>{code}</code>" in page for code in part.get("examples", {}))
    for name, schema in document["components"]["schemas"].items():
        assert f'id="schema-{name}"' in page
        assert all(f"<code>{member}</code>" in page for member in schema["properties"])
