"""A running server behind TLS, as client libraries demand it, and applications that are registered with it."""

import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from tests.support.people.visitor import Visitor
from tests.support.wire.smtp import make_certificate
from tests.support.wire.tls_front import tls_front
from tests.support.world.processes import free_port
from tests.support.world.realm import PASSWORD
from tests.support.world.server import Server, install, serving

CALLBACK: Final = "https://app.example/callback"
GOODBYE: Final = "https://app.example/goodbye"
SCOPE: Final = "openid profile email offline_access"


@dataclass(frozen=True)
class SecureServer:
    """`issuer` is where it answers by https, with a certificate that `roots` vouch for; `chain` is that certificate."""

    server: Server
    issuer: str
    roots: Path
    chain: Path

    @property
    def tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.roots))

    def register_app(self, *options: str, callback: str = CALLBACK) -> dict[str, Any]:
        """The record of a new client, as `clients create` prints it, with its secret if it has one."""
        uris = ("--redirect-uri", callback, "--post-logout-redirect-uri", GOODBYE)
        made = self.server.installation.type(
            "clients", "create", "App", *uris, "--scope", SCOPE, "--first-party", "--json", *options
        )
        assert made.exit_code == 0, made.output
        record: dict[str, Any] = json.loads(made.stdout)
        return record

    def browse(self) -> Visitor:
        """The browser of a person."""
        return Visitor(self.tls)


def sign_in(visitor: Visitor, url: str, email: str, *, callback: str = CALLBACK) -> str:
    """Go where the application sends its user, sign in and allow if asked; return the address that leads back."""
    visitor.visit(url, until=callback)
    if 'name="password"' in visitor.page.body.decode():
        visitor.send("password", email=email, password=PASSWORD, until=callback)
    if 'name="decision"' in visitor.page.body.decode():
        visitor.send(decision="allow", until=callback)
    return visitor.target


@contextmanager
def secure_server(
    folder: Path, database_url: str, *, also_trusted: str = "", **settings: str
) -> Iterator[SecureServer]:
    """Install one in `folder` with `settings`, and run it.

    It trusts certificates of its own authority, and those of `also_trusted`, PEM.
    """
    port = free_port()
    issuer = f"https://localhost:{port}"
    roots, chain = make_certificate(folder)
    installation = install(folder, database_url, ISSUER=issuer, **settings)
    with (
        pytest.MonkeyPatch.context() as patch,
        tls_front(port, installation.port, chain),
    ):
        trusted = folder / "trusted.pem"
        trusted.write_text(roots.read_text() + also_trusted)
        patch.setenv("SSL_CERT_FILE", str(trusted))
        with serving(installation, workers=1) as server:
            yield SecureServer(server, issuer, roots, chain)
