"""The client libraries for Node.js, unpatched, with every check that they have."""

from typing import Any

from tests.support.wire.node import converse
from tests.support.world.secure_server import CALLBACK, GOODBYE, SCOPE, SecureServer, sign_in


def run(secure: SecureServer, email: str, script: str, *options: str, **given: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    record = secure.register_app(*options)
    known = {
        "issuer": secure.issuer,
        "client_id": record["client_id"],
        "client_secret": record.get("client_secret"),
        "redirect_uri": CALLBACK,
        "goodbye": GOODBYE,
        "scope": SCOPE,
    }
    with secure.browse() as visitor:

        def visit(url: str) -> str:
            return sign_in(visitor, url, email)

        return converse(script, {**known, **given}, {"visit": visit}, roots=secure.roots)


def test_openid_client_signs_in_refreshes_introspects_revokes_and_signs_out(secure: SecureServer, email: str) -> None:
    done = run(secure, email, "openid_client.mjs", "--confidential")
    assert done["userinfo"]["email"] == email
    assert done["refreshed"]["sub"] == done["claims"]["sub"] == done["userinfo"]["sub"]
    assert (done["before"]["active"], done["after"]) == (True, {"active": False})
    assert done["goodbye"] == f"{GOODBYE}?state=bye"


def test_oauth4webapi_takes_every_answer(secure: SecureServer, email: str) -> None:
    done = run(secure, email, "oauth4webapi.mjs", "--confidential")
    assert done["userinfo"]["email"] == email
    assert (done["before"]["active"], done["after"]) == (True, {"active": False})


def test_oauth4webapi_takes_every_answer_to_a_public_client(secure: SecureServer, email: str) -> None:
    done = run(secure, email, "oauth4webapi.mjs", "--public")
    assert done["userinfo"]["email"] == email


def test_oauth4webapi_takes_the_algorithm_that_its_client_asks_for(secure: SecureServer, email: str) -> None:
    """It checks the signature, and refuses every other algorithm; name and address are in the ID token."""
    options = ("--confidential", "--id-token-alg", "RS256", "--id-token-claims")
    metadata = {"id_token_signed_response_alg": "RS256"}
    done = run(secure, email, "oauth4webapi.mjs", *options, metadata=metadata)
    assert (done["claims"]["email"], done["userinfo"]["email"]) == (email, email)


def test_oauth4webapi_binds_its_tokens_to_a_key(secure: SecureServer, email: str) -> None:
    """RFC 9449 §5, §7.1, §10: code, refresh token and access token; a stranger's key and no key are refused."""
    done = run(secure, email, "oauth4webapi_dpop.mjs", "--public")
    assert done["types"] == ["dpop", "dpop"], "which the library writes in lower case"
    assert done["userinfo"]["email"] == email
    assert done["refused"] == [400, 400]
