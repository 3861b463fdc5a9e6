"""Measured processes. Each server has its own session, is ended by process id, and measured by /proc if it exists."""

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

PATIENCE = 20.0
_PROC = Path("/proc")
_NO_BYTECODE = "PYTHONDONTWRITEBYTECODE"


@dataclass(frozen=True, slots=True)
class Server:
    """A server with all its workers: the processes in the session of `pid`."""

    pid: int
    url: str

    def cpu_seconds(self) -> float | None:
        """The CPU time that its processes have used so far; None if the system does not tell."""
        return _cpu_seconds(row for row in _list_processes() if row.session == self.pid)

    def worker_memory(self) -> list[tuple[float, float]]:
        """Resident and proportional MiB of each worker; empty if the system does not tell."""
        workers = [row.pid for row in _list_processes() if row.session == self.pid and row.pid != self.pid]
        return [memory for pid in workers if (memory := _read_memory(pid)) is not None]


@contextmanager
def running_server(
    command: Sequence[str | Path], *, environment: Mapping[str, str], url: str, log: Path
) -> Iterator[Server]:
    """Start `command`, wait until `url` answers with any status, and end it when the block ends."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, env=dict(environment), stdout=output, stderr=output, start_new_session=True, cwd=log.parent
        )
    try:
        wait_until_answering(process, url, log)
        yield Server(process.pid, url)
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def wait_until_answering(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    """Wait until `url` answers; `RuntimeError` if the process ends or takes too long."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            urllib.request.urlopen(url, timeout=PATIENCE).close()  # noqa: S310 - loopback, made by this package
        except urllib.error.HTTPError:
            return
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{url} does not answer:\n{log.read_text(errors='replace')[-2000:]}") from None
            time.sleep(0.01)
        else:
            return


def server_environment(**settings: str) -> dict[str, str]:
    """Make the environment of a process, without the `AUTHSERVER_` settings of the person who measures.

    If that person forbids Python to write bytecode, this is dropped, too. Otherwise a checkout would be compiled at
    each start, while an installed package is compiled already.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AUTHSERVER_", _NO_BYTECODE))}
    return {**kept, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path), **settings}


def tree_cpu_seconds(pid: int) -> float | None:
    """The CPU time that process `pid` and its children have used so far, such as a database server and its backends."""
    return _cpu_seconds(row for row in _list_processes() if pid in (row.pid, row.parent))


@dataclass(frozen=True, slots=True)
class _Process:
    pid: int
    parent: int
    session: int
    ticks: int


def _cpu_seconds(processes: Iterator[_Process]) -> float | None:
    ticks = [process.ticks for process in processes]
    return sum(ticks) / os.sysconf("SC_CLK_TCK") if ticks else None


def _list_processes() -> Iterator[_Process]:
    for stat in _PROC.glob("[0-9]*/stat"):
        with suppress(OSError):  # the process has just ended
            # The fields after the name, which may contain spaces: state, parent, group, session, …, user, system time.
            fields = stat.read_text().rpartition(")")[2].split()
            yield _Process(int(stat.parent.name), int(fields[1]), int(fields[3]), int(fields[11]) + int(fields[12]))


def _read_memory(pid: int) -> tuple[float, float] | None:
    try:
        lines = (_PROC / str(pid) / "smaps_rollup").read_text().splitlines()[1:]
    except OSError:
        return None
    kib = {name: int(value.split()[0]) for name, _, value in (line.partition(":") for line in lines)}
    return kib["Rss"] / 1024, kib["Pss"] / 1024
