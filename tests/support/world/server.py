"""The product as an operator runs it: `init` and `serve`, each installation in its own folder and on its own port.

Servers are processes. They get settings only as environment variables, and write their logs into a file, because a full
pipe would stop them.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from click.testing import CliRunner, Result

from authserver.cli.main import authserver, run
from tests.support.wire.http import answers
from tests.support.world.processes import PATIENCE, free_port, kill, wait_until
from tests.support.world.warm_start import WarmProcess

ROOT: Final = Path(__file__).resolve().parents[3]
PRODUCT: Final = ("-c", "import sys; from authserver.cli import main; sys.exit(main())")


@dataclass(frozen=True, slots=True)
class Installation:
    """A folder, a port and settings; `serving` runs it."""

    folder: Path
    port: int
    database_url: str
    settings: Mapping[str, str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def keys(self) -> Path:
        return self.folder / "keys"

    @property
    def environment(self) -> dict[str, str]:
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith("AUTHSERVER_")},
            **{f"AUTHSERVER_{name}": value for name, value in self.settings.items()},
            "PYTHONPATH": str(ROOT),
        }

    def type(self, *arguments: str, stdin: str = "") -> Result:
        """Run `authserver` with these arguments in this process, because starting another one takes a second."""
        mine = {name: value for name, value in self.environment.items() if name.startswith("AUTHSERVER_")}
        others = {name: None for name in os.environ if name.startswith("AUTHSERVER_")}
        result = CliRunner().invoke(authserver, arguments, input=stdin, env={**others, **mine})
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
        return result

    def run(self, *arguments: str, stdin: str = "") -> "subprocess.CompletedProcess[str]":
        """Run `authserver` with these arguments in another process."""
        return subprocess.run(
            [sys.executable, *PRODUCT, *arguments],
            env=self.environment,
            cwd=self.folder,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE * 2,
        )


def install(folder: Path, database_url: str, **settings: str) -> Installation:
    """Run `authserver init`. Registration is open and tries are hardly limited; `settings` add to that or change it."""
    port = free_port()
    defaults = {
        "ISSUER": f"http://127.0.0.1:{port}",
        "HOME": str(folder / "var"),
        "KEYS_DIR": str(folder / "keys"),
        "DATABASE_URL": database_url,
        "REGISTRATION": "open",
        "REQUIRE_VERIFIED_EMAIL": "false",
        "LOGIN_LIMITS": "100000 per minute",
    }
    installation = Installation(folder, port, database_url, {**defaults, **settings})
    initialised = installation.type("init")
    assert initialised.exit_code == 0, initialised.output
    return installation


class Server:
    """A running server: `port` and `url` are where it answers."""

    def __init__(self, installation: Installation, process: "subprocess.Popen[bytes] | WarmProcess", log: Path) -> None:
        """Keep what `serving` has started."""
        self.installation = installation
        self.port = installation.port
        self.url = installation.url
        self.process = process
        self._log = log

    @property
    def log(self) -> str:
        """Read its log so far."""
        return self._log.read_text()

    def worker_pids(self) -> list[int]:
        """Find the worker processes."""
        return sorted(_list_children(self.process.pid))

    def kill_worker(self, pid: int | None = None) -> int:
        """Kill one worker, `pid` or any; return its process id."""
        chosen = self.worker_pids()[0] if pid is None else pid
        kill(chosen)
        return chosen

    def terminate(self) -> int:
        """Ask the server to end, wait for that, and return its exit status."""
        self.process.terminate()
        return self.process.wait(PATIENCE)


@contextmanager
def serving(
    installation: Installation,
    *,
    workers: int = 2,
    program: Callable[[], int | None] = run,
    cold: bool = False,
    log: Path | None = None,
) -> Iterator[Server]:
    """Run a server during the block; it is ready when the block begins.

    `program` is a function of a module; it reads the command line `authserver serve --port PORT --workers N`. It starts
    with the product loaded; with `cold`, a new Python has to load it first, as for an operator. `log` is the file for
    its output, by default a new one.
    """
    log = log or installation.folder / "server.log"
    log.touch()
    arguments = ("serve", "--port", str(installation.port), "--workers", str(workers))
    process: subprocess.Popen[bytes] | WarmProcess
    if cold:
        process = _start_cold(installation, arguments, log)
    else:
        process = WarmProcess(program, arguments, installation.folder, installation.environment, (log, log))
    server = Server(installation, process, log)
    try:
        wait_until(lambda: _is_ready(server), "the start of the server")
        yield server
        if process.poll() is None:
            server.terminate()
    finally:
        if process.poll() is None:
            process.kill()  # its workers end with it
            process.wait(PATIENCE)


def _start_cold(installation: Installation, arguments: tuple[str, ...], log: Path) -> "subprocess.Popen[bytes]":
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, *PRODUCT, *arguments],
            env=installation.environment,
            cwd=installation.folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )


def _is_ready(server: Server) -> bool:
    assert server.process.poll() is None, f"the server ended with status {server.process.poll()}:\n{server.log}"
    return answers(server.port, "/readyz")


def _list_children(parent: int) -> Iterator[int]:
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            # pid (any name) state ppid …
            state, ppid, *_ = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has just ended
        if int(ppid) == parent and state != "Z":
            yield int(stat.parent.name)
