"""The code in `docs/clients.md` runs against a server as an operator starts it, over sockets."""

import json
import re
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.support.wire.http import HttpClient
from tests.support.wire.loopback import Reply, running_server
from tests.support.world.databases import SqliteDatabases
from tests.support.world.server import ROOT, install, serving

DOCUMENT = (ROOT / "docs" / "clients.md").read_text(encoding="utf-8")
LONGEST = 40


def test_a_reader_can_do_what_the_document_shows(
    sqlite_databases: SqliteDatabases,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A client registers, changes and deletes itself; another one is described by its document."""
    (code,) = re.findall(r"^```python\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)
    (example,) = re.findall(r"^```json\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)
    assert max(len(text.splitlines()) for text in (code, example)) <= LONGEST
    settings = {
        "DYNAMIC_REGISTRATION": "initial-access-token",
        "CLIENT_ID_METADATA_DOCUMENTS": "on",
        "PRIVATE_HOSTS": "127.0.0.1",
    }
    installation = install(tmp_path, sqlite_databases.migrated(), **settings)
    made = installation.type("clients", "registration-token", "--scope", "openid profile", "--json")
    assert made.exit_code == 0, made.output
    monkeypatch.setenv("ISSUER", installation.url)
    monkeypatch.setenv("REGISTRATION_TOKEN", json.loads(made.stdout)["registration_token"])
    with serving(installation, workers=1) as server, running_server() as host:
        exec(compile(code, "docs/clients.md", "exec"), {})  # noqa: S102 - it is ours
        assert capsys.readouterr().out.splitlines()[1:] == ["Pics", "['https://photos.example/back']"]
        url = f"{host.url}/client.json"
        body = example.replace("https://photos.example/client.json", url).encode()
        host.answer = lambda _asked: Reply(body, headers={"Content-Type": "application/json"})
        asked = {"client_id": url, "redirect_uri": "https://photos.example/back", "response_type": "code"}
        asked |= {"code_challenge": "x" * 43, "code_challenge_method": "S256", "scope": "openid"}
        with HttpClient(server.port) as client:
            answer = client.get(f"/oauth/authorize?{urlencode(asked)}")
        assert answer.status == 303
        assert answer.headers["location"].startswith("/login?request=")
