"""The client libraries for Node.js, unpatched, with every check that they have."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.people.device import register
from tests.support.wire.node import converse
from tests.support.world.databases import SqliteDatabases
from tests.support.world.realm import PASSWORD
from tests.support.world.secure_server import CALLBACK, GOODBYE, SCOPE, SecureServer, secure_server, sign_in


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


def test_openid_client_pushes_its_request(secure: SecureServer, email: str) -> None:
    """RFC 9126: a confidential client that has to."""
    options = ("--confidential", "--require-pushed-authorization-requests")
    assert run(secure, email, "openid_client.mjs", *options, pushes=True)["userinfo"]["email"] == email


def test_openid_client_is_connected_as_a_device(secure: SecureServer, email: str) -> None:
    """RFC 8628, by the link of a QR code."""
    made = secure.server.installation.type("clients", "create", "Television", "--device", "--scope", SCOPE, "--json")
    given = {"issuer": secure.issuer, "client_id": json.loads(made.stdout)["client_id"], "scope": SCOPE}
    with secure.browse() as visitor:

        def connect(link: str) -> None:
            visitor.visit(link)
            visitor.send("password", email=email, password=PASSWORD)
            visitor.send("user_code")
            visitor.send("request", decision="allow")

        done = converse("openid_client_device.mjs", given, {"connect": connect}, roots=secure.roots)
    assert done["userinfo"]["email"] == email
    assert done["refreshed"]["sub"] == done["claims"]["sub"]


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


@pytest.mark.parametrize("script", ["openid_client_keyed.mjs", "oauth4webapi_keyed.mjs"])
def test_a_library_authenticates_by_a_key_of_its_own(
    secure: SecureServer, email: str, tmp_path: Path, script: str
) -> None:
    """RFC 7523 at every endpoint: push, code, refresh, client credentials, introspection. Its keys are inline."""
    made: list[str] = []

    def enrol(keys: object) -> str:
        file = tmp_path / "keys.json"
        file.write_text(json.dumps(keys), encoding="utf-8")
        record = secure.register_app("--confidential", "--client-credentials", "--jwks", str(file))
        made.append(record["client_id"])
        return made[0]

    with secure.browse() as visitor:

        def visit(url: str) -> str:
            return sign_in(visitor, url, email)

        given = {"issuer": secure.issuer, "redirect_uri": CALLBACK, "scope": SCOPE}
        done = converse(script, given, {"register": enrol, "visit": visit}, roots=secure.roots)
    assert done["claims"]["aud"] in (made[0], made)
    assert "refresh_token" not in done["own"]
    assert (done["introspected"]["active"], done["introspected"]["client_id"]) == (True, made[0])


@pytest.fixture(scope="module")
def strict(sqlite_databases: SqliteDatabases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureServer]:
    """A server that demands a nonce in each DPoP proof."""
    folder = tmp_path_factory.mktemp("strict")
    with secure_server(folder, sqlite_databases.migrated(), DPOP_NONCE="required") as secure:
        yield secure


def test_openid_client_sends_the_nonces_that_are_demanded(strict: SecureServer) -> None:
    """RFC 9449 §8."""
    email = register(strict.server)
    done = run(strict, email, "openid_client_dpop.mjs", "--public")
    assert done["types"] == ["dpop", "dpop"]
    assert done["userinfo"]["email"] == email


def test_oauth4webapi_sends_the_nonces_that_are_demanded(strict: SecureServer) -> None:
    """RFC 9449 §8. It is refused once, and takes later nonces from the answers (§8.2)."""
    email = register(strict.server)
    done = run(strict, email, "oauth4webapi_nonce.mjs", "--public")
    assert done["types"] == ["dpop", "dpop"]
    assert done["userinfo"]["email"] == email
    assert done["demanded"] == 1
