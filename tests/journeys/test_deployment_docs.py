"""What docs/deployment.md, docs/keys.md and docs/cli-json.md say is followed word by word."""

import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from authserver.records.client_settings import ATTRIBUTES
from tests.support.people.shell import Shell
from tests.support.wire.http import answers
from tests.support.wire.smtp import make_certificate
from tests.support.world.databases import SqliteDatabases
from tests.support.world.processes import PATIENCE, end, wait_until
from tests.support.world.server import install

DOCS: Final = Path(__file__).parents[2] / "docs"
DEPLOYMENT: Final = (DOCS / "deployment.md").read_text()
CRON: Final = re.compile(r"^(?:[0-9*/]+ +){5}authserver  (.*)$", re.MULTILINE)
LINES: Final = tuple(dict.fromkeys(CRON.findall(DEPLOYMENT) + CRON.findall((DOCS / "keys.md").read_text())))


def move(text: str, folder: Path) -> str:
    """`text` with the paths of the documented installation in `folder`."""
    for path in ("/opt/authserver/bin", "/var/lib/authserver"):
        text = text.replace(path, str(folder))
    return text.replace("/etc/authserver.toml", str(folder / "authserver.toml"))


@pytest.fixture
def installed(tmp_path: Path, sqlite_databases: SqliteDatabases) -> Path:
    """The folder of an installation as documented: settings in a file, the command, a folder for backups."""
    installation = install(tmp_path, sqlite_databases.migrated())
    settings = {name: value for name, value in installation.settings.items() if name in {"HOME", "KEYS_DIR"}}
    settings["DATABASE_URL"] = installation.database_url
    toml = tmp_path / "authserver.toml"
    toml.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items()))
    (tmp_path / "backups").mkdir()
    (tmp_path / "authserver").write_text(f'#!/bin/sh\nexec {sys.executable} -m authserver "$@"\n')
    (tmp_path / "authserver").chmod(0o755)
    return tmp_path


def run_bare(*command: str | Path) -> None:
    """Run `command` to success as cron would: with its PATH, no setting, in another folder."""
    environment = {"PATH": "/usr/bin:/bin", "HOME": "/", "PYTHONPATH": str(DOCS.parent)}
    done = subprocess.run(
        command, cwd="/", env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE
    )
    assert done.returncode == 0, (command, done.stderr)


def test_the_lines_of_cron_work_with_what_cron_gives_them(installed: Path) -> None:
    """Its PATH, no setting, any folder. Other lines would rotate the keys of a new database in root's home."""
    outdated = installed / "backups" / "authserver-2020-01-01.db"
    outdated.touch()
    os.utime(outdated, (0, 0))
    assert len(LINES) == 3
    for line in LINES:
        run_bare("/bin/sh", "-c", move(line, installed).replace(r"\%", "%"))
    (backup,) = (installed / "backups").iterdir()
    assert backup != outdated


def test_the_command_of_root_is_that_of_the_installation(installed: Path) -> None:
    """With its settings, from any folder and with every argument. Only the change of user is left out here."""
    (wrapper,) = re.findall(r"```sh\n(#!/bin/sh\n.*?)```", DEPLOYMENT, re.DOTALL)
    command = installed / "root's command"
    command.write_text(move(wrapper, installed).replace("runuser -u authserver -- ", ""))
    command.chmod(0o755)
    backup = installed / "a b.db"
    run_bare(command, "db", "backup", backup)
    assert backup.exists()


def test_http_2_is_switched_on_as_every_nginx_understands_it() -> None:
    """The directive `http2` came with nginx 1.25.1; held here also where no nginx is there to say so."""
    directives = [line.split("#")[0].split() for line in DEPLOYMENT.splitlines()]
    assert ["listen", "443", "ssl", "http2;"] in directives
    assert not any(words[:1] == ["http2"] for words in directives)


@pytest.mark.skipif(shutil.which("nginx") is None, reason="needs nginx")
def test_the_configuration_is_one_that_nginx_understands(tmp_path: Path) -> None:
    """Also the nginx of Debian 12 and Ubuntu 24.04, which is older than the directive `http2`."""
    (servers,) = re.findall(r"```nginx\n(.*?)```", DEPLOYMENT, re.DOTALL)
    _, chain_and_key = make_certificate(tmp_path, "auth.example")
    servers = re.sub(r"/etc/ssl/auth\.example/\w+\.pem", str(chain_and_key), servers)
    file = tmp_path / "nginx.conf"
    file.write_text(f"pid {tmp_path}/pid;\nevents {{}}\nhttp {{\n{servers}}}\n")
    done = subprocess.run(["nginx", "-t", "-c", file], capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_the_unit_is_one_that_systemd_understands(tmp_path: Path) -> None:
    (unit,) = re.findall(r"```ini\n(\[Unit\].*?)```", DEPLOYMENT, re.DOTALL)
    file = tmp_path / "authserver.service"
    file.write_text(unit.replace("/opt/authserver/bin/authserver", "/bin/true").replace("User=authserver", "User=root"))
    done = subprocess.run(
        ["systemd-analyze", "verify", file], capture_output=True, text=True, check=False, env=dict(os.environ)
    )
    assert "authserver.service" not in done.stderr, done.stderr


def test_the_documented_gunicorn_serves_and_names_no_software(
    tmp_path: Path, sqlite_databases: SqliteDatabases
) -> None:
    """ASVS 13.4.6. With the file beside it that it is told to have, also for what gunicorn itself refuses."""
    (section,) = re.findall(r"## gunicorn instead\n(.*?)\n## ", DEPLOYMENT, re.DOTALL)
    command, file = re.findall(r"```(?:python)?\n(?:pip .*?\n)?(.*?)```", section, re.DOTALL)
    installation = install(tmp_path, sqlite_databases.migrated())
    (tmp_path / "gunicorn.conf.py").write_text(file)
    words = shlex.split(command.replace("\\\n", " ").replace(":8000", f":{installation.port}"))
    words[words.index("--workers") + 1] = "1"  # as the document says of SQLite
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *words], cwd=tmp_path, env=installation.environment, stdout=log, stderr=log
        )
    try:
        wait_until(lambda: answers(installation.port, "/readyz"), "the start of gunicorn")
        for request in (b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", b"none\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", installation.port), PATIENCE) as connection:
                connection.sendall(request)
                head, _, _ = connection.makefile("rb").read().decode().partition("\r\n\r\n")
            status, *fields = head.split("\r\n")
            named = {value.strip() for name, _, value in (field.partition(":") for field in fields) if name == "Server"}
            assert named <= {""}, (status, named)
            assert "gunicorn" not in head
    finally:
        end(process)


def test_the_members_of_json_are_the_documented_ones(shell: Shell, subtests: pytest.Subtests) -> None:
    table = dict(re.findall(r"^\| (\w+) \| (`.*`).* \|$", (DOCS / "cli-json.md").read_text(), re.MULTILINE))
    user = shell.create_user()
    shell.sign_in()
    listed = {
        "user": user,
        "client": shell.json("clients", "list")["clients"][0],
        "session": shell.json("sessions", "list")["sessions"][0],
        "event": shell.json("audit", "list")["events"][0],
        "receipt": shell.json("users", "lock", user["email"]),
    }
    for name, record in listed.items():
        with subtests.test(name):
            of_all_clients = ATTRIBUTES.keys() if name == "client" else set()
            assert set(re.findall(r"`(\w+)`", table[name])) | of_all_clients == record.keys()
