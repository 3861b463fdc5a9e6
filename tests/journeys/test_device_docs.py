"""docs/device-apps.md: the code in it is complete, short, and works as it is written."""

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
from tests.support.world.processes import PATIENCE
from tests.support.world.realm import PASSWORD
from tests.support.world.server import Server, install, serving

DOCUMENT = Path(__file__).parents[2] / "docs" / "device-apps.md"


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


def test_the_code_connects_a_device(server: Server) -> None:
    """RFC 8628 §3.1 to §3.5 over sockets: codes, polls, tokens, userinfo."""
    options = ("--device", "--scope", "openid profile offline_access", "--json")
    made = server.installation.type("clients", "create", "Television", *options)
    environment = {
        **server.installation.environment,
        "ISSUER": server.url,
        "CLIENT_ID": json.loads(made.stdout)["client_id"],
    }
    email = register(server, name="Ada")
    command = [sys.executable, "-c", read_code()]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as device, Visitor() as visitor:
        assert device.stdout is not None
        shown = device.stdout.readline()
        address, user_code = re.fullmatch(r"Open (\S+) and type (\S+)\.\n", shown).groups()  # type: ignore[union-attr]  # else it fails
        visitor.visit(address)
        visitor.send("password", email=email, password=PASSWORD)
        visitor.send("user_code", user_code=user_code)
        assert b"is connected" in visitor.send("request", decision="allow").body
        said, _ = device.communicate(timeout=PATIENCE)
    assert said.splitlines()[-1] == "Hello, Ada."
