"""Headers in which some proxies tell an application who its user is: here they tell nothing."""

import pytest

from tests.support.people.api import Api
from tests.support.world.realm import EMAIL, ISSUER

IDENTITY = {
    "Remote-User": EMAIL,
    "X-Forwarded-User": EMAIL,
    "X-Forwarded-Email": EMAIL,
    "X-Auth-Request-User": EMAIL,
    "X-SSL-Client-Verify": "SUCCESS",
    "X-SSL-Client-S-DN": f"CN={EMAIL}",
    "X-Forwarded-Client-Cert": f"Subject={EMAIL}",
    "X-Forwarded-Access-Token": "a token",
}


@pytest.mark.parametrize("path", ["/api/account", "/oauth/userinfo"])
def test_no_header_of_a_proxy_signs_anybody_in(api: Api, user_id: str, path: str) -> None:
    """RFC 9700 §4.13: whoever reaches this server past the proxy could write them."""
    assert api.client.get(path, headers=IDENTITY).status_code == 401


def test_no_header_of_a_proxy_moves_the_server(api: Api) -> None:
    """RFC 9700 §4.13: scheme, host and path come from the settings."""
    moved = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", "X-Forwarded-Prefix": "/evil"}
    answer = api.client.get("/.well-known/openid-configuration", headers={**moved, "Forwarded": "host=evil.example"})
    assert answer.json is not None
    assert answer.json["issuer"] == ISSUER
    assert "evil" not in answer.text
