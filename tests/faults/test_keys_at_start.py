"""What `authserver serve` makes of broken master keys, at its start and while it runs (fault experiment F19)."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from authserver.keyring.sealing import MasterKey
from tests.support.people.device import Device, assert_alive, register
from tests.support.wire.http import HttpClient
from tests.support.world.entropy import SeededEntropy
from tests.support.world.processes import wait_until
from tests.support.world.server import Installation, Server, install, serving
from tests.support.world.time_limit import time_limit

Break = Callable[[Path], object]
"""What somebody does to the one file with a master key."""


def _be_a_directory(file: Path) -> None:
    file.unlink()
    file.mkdir()


BROKEN: dict[str, tuple[Break, str]] = {
    "no folder": (lambda file: shutil.rmtree(file.parent), "does not exist"),
    "no file": (lambda file: file.unlink(), "holds no master key"),
    "empty": (lambda file: file.write_bytes(b""), "is empty"),
    "garbage": (lambda file: file.write_bytes(b"\x00\xff garbage \n"), "is not a master key"),
    "cut off": (lambda file: file.write_bytes(file.read_bytes()[:20]), "is not a master key"),
    "readable by others": (lambda file: file.chmod(0o644), "chmod 600"),
    "a directory": (_be_a_directory, "is a directory"),
    "another installation's": (
        lambda file: file.write_bytes(MasterKey.generate_text(SeededEntropy(1))),
        "wrong master key for this database",
    ),
}


@pytest.fixture
def installation(database_url: str, tmp_path: Path) -> Installation:
    return install(tmp_path, database_url)


def find_file(installation: Installation) -> Path:
    (file,) = installation.keys.glob("*.key")
    return file


@time_limit(60)
@pytest.mark.parametrize("state", BROKEN)
def test_the_start_is_refused_in_one_clear_line(installation: Installation, state: str) -> None:
    break_it, said = BROKEN[state]
    break_it(find_file(installation))
    refused = installation.type("serve", "--port", str(installation.port))
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert re.fullmatch(f"Error: [^\n]*{re.escape(said)}[^\n]*\n", refused.stderr), refused.stderr


@time_limit(60)
def test_a_refused_start_ends_the_process(installation: Installation) -> None:
    """With nothing left behind, and nothing said twice."""
    find_file(installation).chmod(0o640)
    refused = installation.run("serve", "--port", str(installation.port))
    assert (refused.returncode, refused.stdout, len(refused.stderr.splitlines())) == (1, "", 1)


@time_limit(90)
def test_a_running_server_keeps_its_last_good_keys_and_raises_an_alarm(installation: Installation) -> None:
    """It neither signs with half a key nor publishes an empty set, and it follows again once the file is back."""
    file = find_file(installation)
    kept = installation.folder / "kept"
    shutil.copy2(file, kept)
    with serving(installation) as server, Device(server, register(server)) as device:
        published = fetch_kids(server)
        for state in ("garbage", "another installation's", "no file"):
            said = len(server.log)
            BROKEN[state][0](file)
            wait_until(lambda said=said: "reload_keys" in server.log[said:], f"an alarm about {state}")  # type: ignore[misc]
            assert fetch_kids(server) == published
            assert_alive(device)
            shutil.copy2(kept, file)
        assert installation.type("keys", "stage", "--alg", "EdDSA").exit_code == 0
        wait_until(lambda: fetch_kids(server) != published, "the new key in the JWKS")
        assert_alive(device)
    assert kept.read_text().strip() not in server.log


def fetch_kids(server: Server) -> set[str]:
    with HttpClient(server.port) as client:
        return {key["kid"] for key in client.get("/.well-known/jwks.json").json["keys"]}
