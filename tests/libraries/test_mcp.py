"""The Model Context Protocol: the official SDK's client signs in at an MCP server on the official SDK."""

import asyncio
import json
import os
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from mcp.client.auth.oauth2 import OAuthClientProvider
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientInformationFull, OAuthClientMetadata, OAuthToken
from mcp_types import TextContent
from pydantic import AnyUrl

from tests.support.people.device import Device, register
from tests.support.wire.http import HttpClient, answers
from tests.support.wire.loopback import running_server
from tests.support.world.databases import SqliteDatabases
from tests.support.world.processes import end, free_port, wait_until
from tests.support.world.realm import PASSWORD
from tests.support.world.secure_server import CALLBACK, SecureServer, secure_server, sign_in
from tests.support.world.server import ROOT
from tests.support.world.time_limit import time_limit

APP = ROOT / "examples" / "mcp_server" / "app.py"


@dataclass
class Memory:
    """The client's storage, as its SDK asks for one, and where it sent the browser."""

    client: OAuthClientInformationFull | None = None
    tokens: OAuthToken | None = None
    visited: list[str] = field(default_factory=list)

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


@dataclass(frozen=True)
class World:
    """A server, the example as a resource server at `url`, and the client's document at `document`."""

    secure: SecureServer
    url: str
    document: str

    async def call(self, memory: Memory, email: str, *, by_url: bool = False) -> str:
        """Call the tool as a new process of the client would: with what `memory` holds, and by a browser if need be."""
        back: list[str] = []

        async def redirect(url: str) -> None:
            memory.visited.append(url)
            with self.secure.browse() as visitor:
                back.append(await asyncio.to_thread(sign_in, visitor, url, email))

        async def callback() -> AuthorizationCodeResult:
            answer = {name: values[0] for name, values in parse_qs(urlsplit(back[-1]).query).items()}
            return AuthorizationCodeResult(code=answer["code"], state=answer["state"], iss=answer["iss"])

        metadata = OAuthClientMetadata(redirect_uris=[AnyUrl(CALLBACK)], token_endpoint_auth_method="none")
        document = self.document if by_url else None
        provider = OAuthClientProvider(self.url, metadata, memory, redirect, callback, document)
        async with (
            httpx2.AsyncClient(auth=provider, verify=self.secure.tls) as http,
            Client(streamable_http_client(self.url, http_client=http)) as client,
        ):
            (content,) = (await client.call_tool("who_am_i", {})).content
        assert isinstance(content, TextContent)
        return content.text


@contextmanager
def running(secure: SecureServer, port: int, url: str) -> Iterator[None]:
    """Run the example, registered as a resource server."""
    made = secure.server.installation.type("clients", "create", "MCP", "--resource-server", "--audience", url, "--json")
    known = json.loads(made.stdout)
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "AUTHSERVER_ISSUER": secure.issuer,
        "PORT": str(port),
        "CLIENT_ID": known["client_id"],
        "CLIENT_SECRET": known["client_secret"],
    }
    log = secure.server.installation.folder / "mcp.log"
    with log.open("wb") as output:
        process = subprocess.Popen([sys.executable, APP], env=environment, stdout=output, stderr=output)
    try:
        ready = "/.well-known/oauth-protected-resource/mcp"
        wait_until(lambda: answers(port, ready) or process.poll() is not None, "the start of the MCP server")
        assert process.poll() is None, log.read_text()
        yield
    finally:
        end(process)


@pytest.fixture(scope="module")
def world(sqlite_databases: SqliteDatabases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    port = free_port()
    url = f"http://127.0.0.1:{port}/mcp"
    settings = {"PRIVATE_HOSTS": "localhost", "CLIENT_ID_METADATA_DOCUMENTS": "on", "CLIENT_ID_METADATA_RESOURCES": url}
    folder = tmp_path_factory.mktemp("mcp")
    with (
        time_limit(150),
        secure_server(folder, sqlite_databases.migrated(), **settings) as secure,
        running(secure, port, url),
    ):
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(secure.chain)
        with running_server(tls) as site:
            document = f"https://localhost:{urlsplit(site.url).port}/client.json"
            described = {"client_id": document, "client_name": "Assistant", "redirect_uris": [CALLBACK]}
            site.body = json.dumps({**described, "token_endpoint_auth_method": "none"}).encode()
            site.headers = {"Content-Type": "application/json"}
            yield World(secure, url, document)


@pytest.fixture
def email(world: World) -> str:
    return register(world.secure.server)


@pytest.mark.parametrize("by_url", [False, True], ids=["registered", "by URL"])
def test_the_official_client_discovers_signs_in_and_is_out_after_a_password_change(
    world: World, email: str, *, by_url: bool
) -> None:
    """RFC 9728, 8414, 8707, 9207: from a 401 to a tool, with one sign-in; the tool stops within a second."""
    memory = Memory()
    if not by_url:
        record = world.secure.register_app("--public", "--audience", world.url)
        memory.client = OAuthClientInformationFull(client_id=record["client_id"], redirect_uris=[AnyUrl(CALLBACK)])
    with Device(world.secure.server, email) as device:
        user_id = device.ask_account().json["user_id"]
        for _ in range(2):
            said = asyncio.run(world.call(memory, email, by_url=by_url))
            assert said.startswith(f"You are {user_id}, by the client ")
        (asked,) = memory.visited
        query = parse_qs(urlsplit(asked).query)
        assert (query["resource"], query["scope"]) == ([world.url], ["profile offline_access"])
        assert not by_url or query["client_id"] == [world.document]
        body = {"current_password": PASSWORD, "new_password": "another horse, another battery"}
        changed = device.post_json("/api/account/password", bearer=device.access_token, **body)
        assert changed.status == 200, changed
    assert memory.tokens is not None
    token = memory.tokens.access_token
    with HttpClient(urlsplit(world.url).port or 0) as client:
        wait_until(lambda: client.get("/mcp", bearer=token).status == 401, "the end of the token")
