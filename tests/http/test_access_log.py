"""The access log: a line for each request with what an operator counts, and nothing that opens anything."""

from dataclasses import replace
from ipaddress import ip_network

import pytest
from structlog.testing import capture_logs

from authserver.realm import Realm
from authserver.web.application import DoorSettings, create_application
from tests.support.world.realm import EMAIL, PASSWORD, add_user

DOORS = DoorSettings("1000/minute", "memory", access_log=True)


def test_each_request_is_one_line_without_what_it_carries(realm: Realm) -> None:
    """ASVS 16.2.5: a query holds codes and mailed tokens, headers and bodies hold the rest."""
    add_user(realm)
    moved = replace(realm, issuer="https://auth.example/tenant")
    settings = replace(DOORS, trusted_proxies=(ip_network("127.0.0.1"),))
    client = create_application(moved, settings).test_client()
    with capture_logs() as lines:
        client.post("/tenant/api/login", json={"email": EMAIL, "password": PASSWORD})
        client.get(
            "/tenant/reset?token=hush-query",
            headers={"X-Forwarded-For": "192.0.2.7", "Authorization": "Bearer hush-header", "Cookie": "a=hush-cookie"},
        )
        client.post("/tenant/oauth/token", data={"refresh_token": "hush-body"})
        client.get("/tenant/now%0Ahere")
    requests = [line for line in lines if line["event"] == "request"]
    assert [(line["method"], line["path"], line["ip"]) for line in requests] == [
        ("POST", "/tenant/api/login", "127.0.0.1"),
        ("GET", "/tenant/reset", "192.0.2.7"),
        ("POST", "/tenant/oauth/token", "127.0.0.1"),
        ("GET", "/tenant/now\nhere", "127.0.0.1"),
    ]
    assert [line["status"] for line in requests] == [200, 400, 401, 404]
    assert all(
        line.keys() == {"event", "log_level", "method", "path", "status", "milliseconds", "ip"} for line in requests
    )
    assert not [hush for hush in ("hush", PASSWORD, EMAIL) if hush in str(requests)]


def test_what_the_guard_refuses_is_logged(realm: Realm) -> None:
    client = create_application(realm, DOORS).test_client()
    with capture_logs() as lines:
        refused = client.post("/api/login", data=b"x" * 100_000)
    assert [(line["path"], line["status"]) for line in lines if line["event"] == "request"] == [
        ("/api/login", refused.status_code)
    ]


@pytest.mark.parametrize("access_log", [True, False])
def test_it_is_written_only_where_it_is_asked_for(realm: Realm, access_log: bool) -> None:  # noqa: FBT001 - the parameter
    client = create_application(realm, replace(DOORS, access_log=access_log)).test_client()
    with capture_logs() as lines:
        client.get("/healthz")
    assert [line["event"] for line in lines] == ["request"] * access_log
    assert not DoorSettings("1000/minute", "memory").access_log
