"""The example of a command-line app: signed in by a browser and with a code, refreshed, signed out."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from examples.native.token_file import Kept, TokenFile
from tests.support.people.device import Device, register
from tests.support.people.visitor import Visitor
from tests.support.wire.http import HttpClient
from tests.support.wire.resource_server import guarding
from tests.support.world.databases import SqliteDatabases
from tests.support.world.processes import PATIENCE, wait_until
from tests.support.world.realm import PASSWORD
from tests.support.world.server import ROOT, Server, install, serving
from tests.support.world.time_limit import time_limit

LINK = r"go to (http\S+)$"
Process = subprocess.Popen[str]


@dataclass(frozen=True)
class Terminal:
    """Where the app is run, and the browser of the person who runs it."""

    server: Server
    api: str
    visitor: Visitor
    email: str
    folder: Path

    @property
    def token_file(self) -> Path:
        return self.folder / "native-token.json"

    @property
    def opened(self) -> Path:
        """What the app gave to the browser."""
        return self.folder / "opened"

    @contextmanager
    def typing(self, *words: str) -> Iterator[Process]:
        """Run the app by its one command. The clients are registered once, because commands take a second each."""
        mine = {
            "AUTHSERVER_CONFIG": "",
            "BROWSER": f"sh -c 'echo $0 >{self.opened}' %s",
            "TOKEN_FILE": str(self.token_file),
        }
        process = subprocess.Popen(
            [sys.executable, "-m", *self._command(mine), *words],
            env={**self.server.installation.environment, **mine},
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        with process:
            try:
                yield process
            finally:
                process.terminate()

    def run(self, *words: str) -> list[str]:
        """Run it to its end; what it said."""
        with self.typing(*words) as process:
            return read_to_end(process)

    def _command(self, environment: dict[str, str]) -> list[str]:
        home = self.server.installation.folder / "var"
        records = [home / name for name in ("native.json", "native-device.json")]
        if not all(record.exists() for record in records):
            return ["examples.run_native", "--issuer", self.server.url, "--resource", self.api]
        native, device = (json.loads(record.read_text())["client_id"] for record in records)
        environment |= {"AUTHSERVER_ISSUER": self.server.url, "API": f"{self.api}/me"}
        environment |= {"CLIENT_ID": native, "DEVICE_CLIENT_ID": device}
        return ["examples.native.app"]

    def sign_in(self) -> None:
        """Type the password into the page that is open, and allow what the app asks for."""
        self.visitor.send("password", email=self.email, password=PASSWORD)
        self.visitor.send(decision="allow")

    def user_id(self) -> str:
        with Device(self.server, self.email) as device:
            return str(device.ask_account().json["user_id"])


@pytest.fixture(scope="module")
def world(sqlite_databases: SqliteDatabases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, str]]:
    installation = install(tmp_path_factory.mktemp("native"), sqlite_databases.migrated())
    with serving(installation, workers=1) as server, guarding(installation) as api:
        yield server, f"http://127.0.0.1:{api.port}"


@pytest.fixture
def terminal(world: tuple[Server, str], tmp_path: Path) -> Iterator[Terminal]:
    server, api = world
    with time_limit(120), Visitor() as visitor:
        yield Terminal(server, api, visitor, register(server), tmp_path)


def read_until(process: Process, pattern: str) -> str:
    """What the first line says that has `pattern`."""
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if found := re.search(pattern, line):
            return found[1]
    raise AssertionError("".join(said))


def read_to_end(process: Process) -> list[str]:
    """The lines that nobody has read yet."""
    said, _ = process.communicate(timeout=PATIENCE)
    return said.splitlines()


def refresh(terminal: Terminal, kept: dict[str, str]) -> str | None:
    """The error of a refresh with what the app had kept."""
    form = {"client_id": kept["client_id"], "refresh_token": kept["refresh_token"]}
    with HttpClient(terminal.server.port) as client:
        answer = client.post_form("/oauth/token", grant_type="refresh_token", **form)
    error: str | None = answer.json.get("error")
    return error


def test_a_person_signs_in_by_the_browser_and_out_again(terminal: Terminal) -> None:
    """RFC 8252 §6, §7.3: loopback at a free port, PKCE, `state`; then a refresh in the next run, and RFC 7009 §2.1."""
    with terminal.typing() as process:
        link = read_until(process, LINK)
        asked = {name: values[0] for name, values in parse_qs(urlsplit(link).query).items()}
        assert (asked["code_challenge_method"], len(asked["code_challenge"])) == ("S256", 43)
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/callback", asked["redirect_uri"])
        assert terminal.visitor.visit(f"{asked['redirect_uri']}?code=stolen&state=guessed").status == 400
        assert terminal.visitor.visit(asked["redirect_uri"].replace("callback", "favicon.ico")).status == 404
        terminal.visitor.visit(link)
        terminal.sign_in()
        assert b"Return to the terminal" in terminal.visitor.page.body
        said = read_to_end(process)
    assert said[0] == "Signed in."
    assert f'"user":"{terminal.user_id()}"' in said[1]
    wait_until(lambda: terminal.opened.read_text().strip() == link, "the browser")
    assert terminal.token_file.stat().st_mode & 0o777 == 0o600
    kept = json.loads(terminal.token_file.read_text())
    assert kept.keys() == {"issuer", "client_id", "refresh_token"}
    assert refresh(terminal, kept) is None

    said = terminal.run()
    assert said[0] == "Refreshed."
    assert terminal.user_id() in said[1]

    assert terminal.run("sign-out") == ["Signed out."]
    assert not terminal.token_file.exists()
    assert refresh(terminal, kept) == "invalid_grant"
    assert terminal.run("sign-out") == ["You are not signed in."]


def test_a_person_signs_in_with_a_code(terminal: Terminal) -> None:
    """RFC 8628 §3.1 to §3.5, by the client of that kind. When the session has ended, the next run signs in anew."""
    with terminal.typing("--device") as process:
        address, code = read_until(process, r"open (\S+ and type \S+)\.$").split(" and type ")
        terminal.visitor.visit(address)
        terminal.visitor.send("password", email=terminal.email, password=PASSWORD)
        terminal.visitor.send("user_code", user_code=code)
        assert b"is connected" in terminal.visitor.send("request", decision="allow").body
        said = read_to_end(process)
    assert said[0] == "Signed in."
    assert terminal.user_id() in said[1]
    assert terminal.token_file.stat().st_mode & 0o777 == 0o600
    kept = json.loads(terminal.token_file.read_text())

    assert terminal.run()[0] == "Refreshed.", "by the client that has signed in"

    with Device(terminal.server, terminal.email) as device:
        device.post_json("/api/account/sessions/revoke-others", bearer=device.access_token)
    with terminal.typing("--device") as process:
        read_until(process, "^(Your session has ended)")
        read_until(process, r"(and type) \S+\.$")
        assert not terminal.token_file.exists()
    assert refresh(terminal, kept) == "invalid_grant"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"code": "theirs", "iss": "https://elsewhere.example"}, "the answer came from another server"),
        ({"code": "theirs"}, "the answer came from another server"),
        ({"error": "access_denied", "iss": ""}, "not signed in: access_denied"),
        ({"code": "made-up", "iss": ""}, "refused: invalid_grant"),
    ],
    ids=["another server", "no server named", "denied", "a made-up code"],
)
def test_another_answer_signs_nobody_in(terminal: Terminal, answer: dict[str, str], said: str) -> None:
    """RFC 9207 §2.4: also to the right `state`, and nothing is kept."""
    with terminal.typing() as process:
        asked = parse_qs(urlsplit(read_until(process, LINK)).query)
        if answer.get("iss") == "":
            answer = {**answer, "iss": terminal.server.url}
        fields = urlencode({**answer, "state": asked["state"][0]})
        assert terminal.visitor.visit(f"{asked['redirect_uri'][0]}?{fields}").status == 200
        assert read_to_end(process) == [said]
        assert process.returncode == 1
    assert not terminal.token_file.exists()


@pytest.mark.parametrize("words", [[], ["sign-out"]], ids=["call", "sign-out"])
def test_without_a_network_the_token_stays(tmp_path: Path, words: list[str]) -> None:
    """The next run tries again. Nobody is signed out by an outage."""
    nowhere = "http://127.0.0.1:1"
    kept, file = Kept(nowhere, "app", "token"), TokenFile(tmp_path / "token.json")
    file.write(kept)
    done = run_app(tmp_path, nowhere, *words)
    assert (done.returncode, done.stderr.partition(":")[0]) == (1, "no answer that this app can use, try again")
    assert file.read(nowhere, {"app"}) == kept


def test_a_refusal_that_ends_no_session_leaves_the_token(terminal: Terminal) -> None:
    """RFC 6749 §5.2: only `invalid_grant` is about the token. Here the client is unknown."""
    kept, file = Kept(terminal.server.url, "app", "token"), TokenFile(terminal.folder / "token.json")
    file.write(kept)
    done = run_app(terminal.folder, terminal.server.url)
    assert (done.returncode, done.stderr) == (1, "refused: invalid_client\n")
    assert file.read(terminal.server.url, {"app"}) == kept


def run_app(folder: Path, issuer: str, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run the app as the client `app`, with the token that is in the folder."""
    mine = {"PYTHONPATH": str(ROOT), "AUTHSERVER_ISSUER": issuer, "CLIENT_ID": "app", "DEVICE_CLIENT_ID": "none"}
    mine |= {"TOKEN_FILE": str(folder / "token.json")}
    command = [sys.executable, "-m", "examples.native.app", *words]
    environment = {**os.environ, **mine}
    return subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)


def test_it_says_that_the_server_is_missing(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "examples.run_native", "--issuer", "http://127.0.0.1:1"]
    settings = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=settings, capture_output=True, text=True, check=False)
    assert (done.returncode, "start make run first" in done.stderr) == (1, True), done.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_token_is_kept_for_its_server_and_an_older_one_replaces_nothing(tmp_path: Path) -> None:
    """Two runs at the same time: the answer to the older token comes last."""
    file, first = TokenFile(tmp_path / "folder" / "token.json"), Kept("https://a.example", "app", "first")
    assert file.read(first.issuer, {"app"}) is None
    file.write(first)
    assert file.read("https://b.example", {"app"}) is None
    assert file.read(first.issuer, {"other"}) is None
    file.replace(first, "second")
    file.replace(first, "overtaken")
    file.remove(first)
    assert file.read(first.issuer, {"app", "other"}) == Kept(first.issuer, "app", "second")
    assert "second" not in repr(file.read(first.issuer, {"app"}))
    assert len(list((tmp_path / "folder").iterdir())) == 1
