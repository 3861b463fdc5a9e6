"""mozilla-django-oidc in a site of its own: it sends no PKCE, and takes only RS256."""

import os
import subprocess
import sys
from pathlib import Path

from tests.libraries.lines import read_lines
from tests.support.people.visitor import Visitor
from tests.support.wire.http import answers
from tests.support.world.processes import free_port, kill, wait_until
from tests.support.world.realm import PASSWORD
from tests.support.world.secure_server import SecureServer

SITE = Path(__file__).with_name("django_site.py")


def test_mozilla_django_oidc_makes_a_django_user(secure: SecureServer, email: str, tmp_path: Path) -> None:
    """RS256 ID tokens, no PKCE, a nonce; the user is found by the address at userinfo."""
    port = free_port()
    home = f"http://127.0.0.1:{port}/"
    record = secure.register_app(
        "--confidential", "--id-token-alg", "RS256", "--pkce", "optional", callback=f"{home}oidc/callback/"
    )
    arguments = [
        str(port),
        secure.issuer,
        record["client_id"],
        record["client_secret"],
        read_lines("mozilla-django-oidc"),
    ]
    environment = {**os.environ, "REQUESTS_CA_BUNDLE": str(secure.roots)}
    with (tmp_path / "site.log").open("wb") as log:
        site = subprocess.Popen([sys.executable, SITE, *arguments], env=environment, stdout=log, stderr=log)
    try:
        wait_until(lambda: answers(port), "the start of the site")
        with secure.browse() as visitor:
            sign_in(visitor, home, email)
            assert visitor.page.body.decode() == f"Hello, {email}.", (tmp_path / "site.log").read_text()
    finally:
        kill(site.pid)
        site.wait()


def sign_in(visitor: Visitor, home: str, email: str) -> None:
    assert visitor.visit(home).body == b"Nobody."
    visitor.visit(f"{home}oidc/authenticate/")
    visitor.send("password", email=email, password=PASSWORD)
