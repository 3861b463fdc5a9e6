"""docs/native-apps.md: the code in it is complete, short, and works as it is written."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.people.device import register
from tests.support.people.visitor import Visitor
from tests.support.world.databases import SqliteDatabases
from tests.support.world.processes import PATIENCE, wait_until
from tests.support.world.realm import PASSWORD
from tests.support.world.server import Server, install, serving

DOCUMENT = Path(__file__).parents[2] / "docs" / "native-apps.md"
OPENER = '#!/bin/sh\nprintf \'%s\' "$1" > "$0.draft" && mv "$0.draft" "$0.url"\n'
"""A browser in the sense of the BROWSER variable: it notes the address."""


def read_code() -> str:
    (code,) = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    return str(code)


@pytest.fixture
def server(tmp_path: Path, sqlite_databases: SqliteDatabases) -> Iterator[Server]:
    with serving(install(tmp_path, sqlite_databases.empty()), workers=1) as server:
        yield server


def test_the_code_is_short() -> None:
    """At most 40 lines: a person reads it whole."""
    assert len(read_code().splitlines()) <= 40


def test_the_code_signs_a_person_in(server: Server, tmp_path: Path) -> None:
    """RFC 8252 §7.3, RFC 9207 over sockets: any free port, PKCE, consent, tokens, userinfo."""
    options = ("--native", "--redirect-uri", "http://127.0.0.1/callback", "--scope", "openid profile offline_access")
    made = server.installation.type("clients", "create", "Notes", *options, "--json")
    opener, opened = tmp_path / "opener", tmp_path / "opener.url"
    opener.write_text(OPENER)
    opener.chmod(0o700)
    environment = {
        **server.installation.environment,
        "ISSUER": server.url,
        "CLIENT_ID": json.loads(made.stdout)["client_id"],
        "BROWSER": f"{opener} %s",
    }
    email = register(server, name="Ada")
    with subprocess.Popen(
        [sys.executable, "-c", read_code()], env=environment, stdout=subprocess.PIPE, text=True
    ) as app:
        try:
            wait_until(lambda: opened.exists() or app.poll() is not None, "the browser")
            with Visitor() as visitor:
                visitor.visit(opened.read_text())
                visitor.send("password", email=email, password=PASSWORD)
                assert b"You can close this window." in visitor.send(decision="allow").body
            said, _ = app.communicate(timeout=PATIENCE)
        finally:
            app.kill()
    assert said.splitlines()[-1] == "Hello, Ada."
