"""The Model Context Protocol: the official SDK's client signs in at an MCP server on the official SDK."""

import asyncio
import json
import os
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
from pydantic import AnyUrl

from tests.support.people.device import Device
from tests.support.people.visitor import Visitor
from tests.support.wire.http import answers
from tests.support.world.processes import end, free_port, wait_until
from tests.support.world.realm import PASSWORD
from tests.support.world.secure_server import CALLBACK, SecureServer, sign_in
from tests.support.world.server import ROOT

APP = ROOT / "examples" / "mcp_server" / "app.py"


@dataclass
class Memory:
    """The client's storage, as its SDK asks for one."""

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
class McpServer:
    """Where the example listens."""

    url: str


@contextmanager
def running(secure: SecureServer) -> Iterator[McpServer]:
    port = free_port()
    url = f"http://127.0.0.1:{port}/mcp"
    made = secure.server.installation.type("clients", "create", "MCP", "--resource-server", "--audience", url, "--json")
    known = json.loads(made.stdout)
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "AUTHSERVER_ISSUER": secure.issuer,
        "SSL_CERT_FILE": str(secure.roots),
        "PORT": str(port),
        "CLIENT_ID": known["client_id"],
        "CLIENT_SECRET": known["client_secret"],
    }
    log = secure.server.installation.folder / f"mcp-{port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen([sys.executable, APP], env=environment, stdout=output, stderr=output)
    try:
        wait_until(lambda: answers(port, "/.well-known/oauth-protected-resource/mcp") or process.poll() is not None, "the start of the MCP server")
        assert process.poll() is None, log.read_text()
        yield McpServer(url)
    finally:
        end(process)
        print(log.read_text())


@pytest.fixture(scope="module")
def server(secure: SecureServer) -> Iterator[McpServer]:
    with running(secure) as server:
        yield server


def allow(visitor: Visitor, url: str, email: str) -> str:
    """Sign in, and allow what the client asks for; return the address that leads back."""
    back = sign_in(visitor, url, email)
    if 'name="decision"' in visitor.page.body.decode():
        visitor.send(decision="allow", until=CALLBACK)
        back = visitor.target
    return back


async def call(secure: SecureServer, server: McpServer, memory: Memory, email: str) -> str:
    """Call the tool as a new process of the client would: with what `memory` holds, and by the browser if need be."""
    back: list[str] = []

    async def redirect(url: str) -> None:
        memory.visited.append(url)
        with secure.browse() as visitor:
            back.append(await asyncio.to_thread(allow, visitor, url, email))

    async def callback() -> AuthorizationCodeResult:
        print("BACK", back, memory.visited)
        answer = {name: values[0] for name, values in parse_qs(urlsplit(back[-1]).query).items()}
        return AuthorizationCodeResult(code=answer["code"], state=answer.get("state"), iss=answer.get("iss"))

    metadata = OAuthClientMetadata(redirect_uris=[AnyUrl(CALLBACK)], token_endpoint_auth_method="none")
    provider = OAuthClientProvider(server.url, metadata, memory, redirect, callback)
    async with httpx2.AsyncClient(auth=provider, verify=secure.tls) as http:
        async with Client(streamable_http_client(server.url, http_client=http)) as client:
            result = await client.call_tool("who_am_i", {})
    return str(result.content[0].text)


def test_the_official_client_discovers_signs_in_and_calls_a_tool(
    secure: SecureServer, server: McpServer, email: str
) -> None:
    record = secure.register_app("--public", "--audience", server.url)
    memory = Memory(OAuthClientInformationFull(client_id=record["client_id"], redirect_uris=[AnyUrl(CALLBACK)]))
    with Device(secure.server, email) as device:
        user_id = device.ask_account().json["user_id"]
        assert asyncio.run(call(secure, server, memory, email)) == f"You are {user_id}, by the client {record['client_id']}."
        asked = parse_qs(urlsplit(memory.visited[0]).query)
        assert asked["resource"] == [server.url]
        assert asyncio.run(call(secure, server, memory, email)) == f"You are {user_id}, by the client {record['client_id']}."
        assert len(memory.visited) == 1
        body = {"current_password": PASSWORD, "new_password": "another horse, another battery"}
        changed = device.post_json("/api/account/password", bearer=device.access_token, **body)
        assert changed.status == 200, changed
