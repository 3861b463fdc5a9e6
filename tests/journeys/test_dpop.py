"""The client of docs/dpop.md, word for word, against a running server; its proofs are made by joserfc."""

import json
import re
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.people.authorizing import claims_of
from tests.support.people.device import register
from tests.support.world.databases import SqliteDatabases
from tests.support.world.proofs import ProofKey
from tests.support.world.realm import PASSWORD
from tests.support.world.server import Server, install, serving

DOCUMENT = (Path(__file__).parents[2] / "docs" / "dpop.md").read_text(encoding="utf-8")
CLIENT = re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL)[0]


@pytest.fixture(scope="module", params=["off", "required"])
def server(
    request: pytest.FixtureRequest, sqlite_databases: SqliteDatabases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("dpop")
    with serving(install(folder, sqlite_databases.migrated(), DPOP_NONCE=request.param), workers=1) as server:
        yield server


@pytest.fixture
def client(server: Server) -> dict[str, Any]:
    """The names of the document's client after it has run."""
    names: dict[str, Any] = {"SERVER": server.installation.url, "EMAIL": register(server), "PASSWORD": PASSWORD}
    exec(CLIENT, names)  # noqa: S102 - our own document
    return names


def test_the_client_of_the_document_is_short() -> None:
    assert len(CLIENT.splitlines()) <= 40


def test_the_client_of_the_document_signs_in_refreshes_and_calls(client: dict[str, Any]) -> None:
    """RFC 9449 §5, §7.1, §8.2: with a nonce where one is demanded; the tokens are bound to its key."""
    tokens, jkt = client["tokens"], client["KEY"].thumbprint()
    assert tokens["token_type"] == "DPoP"
    assert claims_of(tokens["access_token"])["cnf"] == {"jkt": jkt}
    assert client["user"]["email"] == client["EMAIL"]
    stolen = requests.get(
        f"{client['SERVER']}/oauth/userinfo", headers={"Authorization": f"Bearer {tokens['access_token']}"}, timeout=10
    )
    assert stolen.status_code == 401


def test_two_proofs_in_two_headers_are_refused(server: Server) -> None:
    """RFC 9449 §4.3, check 1, over a real socket: whatever a server makes of two headers of one name."""
    url, email, key = f"{server.url}/api/login", register(server), ProofKey()
    body = json.dumps({"email": email, "password": PASSWORD}).encode()
    connection = HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.putrequest("POST", "/api/login")
    for name, value in (
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
        *[("DPoP", key.prove("POST", url, time.time())) for _ in range(2)],
    ):
        connection.putheader(name, value)
    connection.endheaders(body)
    response = connection.getresponse()
    answer = json.loads(response.read())
    connection.close()
    assert (response.status, answer["code"]) == (400, "invalid_dpop_proof")
