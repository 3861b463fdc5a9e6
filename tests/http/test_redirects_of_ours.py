"""No redirect of ours is built from what a request says of itself: its host, its scheme, its path."""

import dataclasses
from collections.abc import Iterator

import pytest
from flask import Flask
from werkzeug import Response
from werkzeug.test import EnvironBuilder, run_wsgi_app

from authserver.realm import Realm
from tests.support.people.api import Api

EVIL = "evil.example"
LIES = {
    "Host": EVIL,
    "X-Forwarded-Host": EVIL,
    "X-Forwarded-Proto": "gopher",
    "X-Forwarded-Prefix": f"//{EVIL}",
    "Forwarded": f"host={EVIL};proto=gopher",
    "X-Original-URL": f"//{EVIL}/",
    "X-Rewrite-URL": f"//{EVIL}/",
}


def respelled(path: str) -> Iterator[str]:
    """What leads to the same page in the eyes of a friendly server."""
    yield f"/{path}"
    yield path.replace("/", "//")
    yield path.rpartition("/")[0] + "//" + path.rpartition("/")[2]
    yield f"{path}/"
    yield f"{path}//"
    yield f"/.{path}"


def list_calls(app: Flask) -> list[tuple[str, str]]:
    return sorted(
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        if not rule.arguments
        for method in (rule.methods or set()) - {"OPTIONS", "HEAD"}
    )


def send(api: Api, method: str, path: str) -> Response:
    form = {"refresh_token": "rt_secret"} if method == "POST" else None
    environ = EnvironBuilder(
        query_string=path.partition("?")[2], method=method, headers=LIES.items(), data=form
    ).get_environ()
    # Not the test client: it would take what follows two slashes for a host.
    return Response(*run_wsgi_app(api.app, {**environ, "PATH_INFO": path.partition("?")[0]}))


def test_a_path_that_is_not_exactly_ours_is_not_found(api: Api) -> None:
    """A doubled slash once was answered with 308 to the request's `Host`, where a browser sends the body again."""
    calls = list_calls(api.app)
    assert len(calls) > 40
    served = {path for _, path in calls}
    for method, path in calls:
        for spelling in {*respelled(path)} - served:
            response = send(api, method, spelling)
            assert (response.status_code, "Location" in response.headers) == (404, False), (method, spelling)


def test_no_redirect_follows_the_host_of_the_request(api: Api) -> None:
    seen = 0
    for method, path in list_calls(api.app):
        response = send(api, method, f"{path}?next=//{EVIL}&request=x")
        location = response.headers.get("Location")
        if location is not None:
            seen += 1
            assert location.startswith("/"), (method, path, location)
            assert not location.startswith("//"), (method, path, location)
            assert EVIL not in location.partition("?")[0], (method, path, location)
        assert EVIL not in response.get_data(as_text=True), (method, path)
    assert seen >= 5


@pytest.mark.parametrize(
    "path", ["//evil.example/oauth/token", "///evil.example", "/\\evil.example", "/%2F/evil.example"]
)
def test_a_path_that_looks_like_a_host_leads_nowhere(api: Api, path: str) -> None:
    response = send(api, "POST", path)
    assert (response.status_code, "Location" in response.headers) == (404, False)


def test_nor_below_an_issuer_with_a_path(realm: Realm) -> None:
    api = Api(dataclasses.replace(realm, issuer="https://auth.example/id"))
    assert send(api, "GET", "/id").headers["Location"] == "/id/account"
    assert send(api, "POST", "/id").status_code == 405
    assert send(api, "POST", "/id//oauth/token").status_code == 404
