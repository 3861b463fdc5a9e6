"""The example `examples/web_client`, run as a registered client, and the tokens that a browser received from it."""

import json
import os
import re
import socket
import subprocess
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

from authserver.jose.errors import JoseError
from authserver.jose.jws import parse_compact
from authserver.protocol import base64url
from tests.support.people.visitor import Visitor
from tests.support.wire.http import Answer
from tests.support.world.processes import PATIENCE, free_port, wait_until
from tests.support.world.server import ROOT, Installation

APP = ROOT / "examples" / "web_client" / "app.py"
_COMPACT = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+")
_REFRESH_TOKEN = re.compile(r"\brt_[\w-]+")


@dataclass(frozen=True, slots=True)
class WebClient:
    """The running example and its client id."""

    url: str
    client_id: str

    @property
    def callback(self) -> str:
        return f"{self.url}/callback"


def register_web_client(installation: Installation, name: str, port: int, *options: str) -> dict[str, Any]:
    """Register a confidential client that listens at `port`; return its record with the secret."""
    home = f"http://127.0.0.1:{port}/"
    uris = ("--redirect-uri", f"{home}callback", "--post-logout-redirect-uri", home)
    scope = ("--scope", "openid profile email offline_access")
    made = installation.type("clients", "create", name, "--confidential", *scope, *uris, "--json", *options)
    assert made.exit_code == 0, made.output
    record: dict[str, Any] = json.loads(made.stdout)
    return record


@contextmanager
def registered_web_client(installation: Installation, name: str, *options: str) -> Iterator[WebClient]:
    """Register the example at `installation`, and run it during the block."""
    port = free_port()
    record = register_web_client(installation, name, port, *options)
    with running_web_client(
        installation.url, port, record["client_id"], record["client_secret"], installation.folder
    ) as client:
        yield client


@contextmanager
def running_web_client(issuer: str, port: int, client_id: str, secret: str, folder: Path) -> Iterator[WebClient]:
    """Run the example during the block as its README does; its log is in `folder`."""
    mine = {"AUTHSERVER_ISSUER": issuer, "CLIENT_ID": client_id, "CLIENT_SECRET": secret, "PORT": str(port)}
    with (folder / f"client-{port}.log").open("wb") as log:
        process = subprocess.Popen([sys.executable, APP], env={**os.environ, **mine}, stdout=log, stderr=log)
    try:
        wait_until(lambda: _listens(port), "the start of the web client")
        yield WebClient(f"http://127.0.0.1:{port}", client_id)
    finally:
        process.terminate()
        process.wait(PATIENCE)


def find_tokens(visitor: Visitor) -> list[str]:
    """Find the types of all tokens that the browser received, also in cookies: `JWT`, `at+jwt`, or `refresh`."""
    return [kind for answer in visitor.received for kind in _find_in(_unfold(answer))]


def _unfold(answer: Answer) -> str:
    cookies = [morsel.value for given in answer.cookies for morsel in SimpleCookie(given).values()]
    return "\n".join((answer.body.decode(), *answer.headers.values(), *cookies, *map(_open, cookies)))


def _open(cookie: str) -> str:
    """Read the content of Flask's cookie, which is signed but not encrypted, and compressed if that is shorter."""
    text, is_compressed = cookie.removeprefix("."), cookie.startswith(".")
    try:
        data = base64url.decode(text.partition(".")[0])
        return (zlib.decompress(data) if is_compressed else data).decode()
    except (ValueError, zlib.error):
        return ""  # no cookie of Flask's


def _find_in(text: str) -> Iterator[str]:
    yield from ("refresh" for _ in _REFRESH_TOKEN.finditer(text))
    for candidate in _COMPACT.findall(text):
        try:
            header = parse_compact(candidate).header
        except JoseError:
            continue  # a number, a host, a cookie
        if "alg" in header:
            yield str(header.get("typ"))


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), PATIENCE).close()
    except ConnectionError:
        return False
    return True
