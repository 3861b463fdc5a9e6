"""Processes that start with the modules of `authserver` loaded, because importing them takes a second each time.

They are forked from a process that has imported the product and done nothing else. Otherwise, they are like other
processes: they have their own environment, output and exit status, and can be killed.
"""

import fcntl
import gc
import multiprocessing
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from subprocess import CompletedProcess, TimeoutExpired
from typing import Final

from authserver.cli.main import run
from tests.support.people.shell import load_every_command
from tests.support.world.processes import PATIENCE

load_every_command()  # or each of the processes would load its own
_FORKS: Final = multiprocessing.get_context("forkserver")
# What connects to a database is otherwise loaded by whoever first does: by each of the processes.
_FORKS.set_forkserver_preload([__name__, "sqlalchemy.dialects.postgresql.psycopg", "sqlalchemy.dialects.sqlite"])


class WarmProcess:
    """A running `program` with these arguments, with the methods of `Popen` that tests need."""

    def __init__(
        self,
        program: Callable[[], int | None],
        arguments: tuple[str, ...],
        folder: Path,
        environment: Mapping[str, str],
        outputs: tuple[Path, Path],
    ) -> None:
        """Start it in `folder`. `program` is a function of a module; `outputs` are the files for stdout and stderr."""
        self._arguments = arguments
        self._process = _FORKS.Process(target=_run, args=(program, arguments, folder, dict(environment), outputs))
        self._process.start()

    @property
    def pid(self) -> int:
        """See `Popen.pid`."""
        assert self._process.pid is not None
        return self._process.pid

    def poll(self) -> int | None:
        """See `Popen.poll`."""
        return self._process.exitcode

    def wait(self, timeout: float) -> int:
        """See `Popen.wait`."""
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise TimeoutExpired(self._arguments, timeout)
        return self._process.exitcode

    def terminate(self) -> None:
        """See `Popen.terminate`."""
        self._process.terminate()

    def kill(self) -> None:
        """See `Popen.kill`."""
        self._process.kill()


class WarmCommand:
    """A running `authserver ARGUMENTS`."""

    def __init__(
        self, folder: Path, environment: Mapping[str, str], *arguments: str, prepare: Callable[[], None] | None = None
    ) -> None:
        """Start it in a new folder in `folder`. `prepare`, a function of a module, runs in the process first."""
        self._arguments = arguments
        self._folder = Path(tempfile.mkdtemp(dir=folder))
        outputs = (self._folder / "stdout", self._folder / "stderr")
        program = run if prepare is None else partial(_prepare_and_run, prepare)
        self._process = WarmProcess(program, arguments, self._folder, environment, outputs)

    def finish(self) -> "CompletedProcess[str]":
        """Wait for the end; return the result. The exit status of a killed process is minus the signal."""
        try:
            status = self._process.wait(PATIENCE)
        except TimeoutExpired:
            self._process.kill()
            raise
        said, complained = ((self._folder / name).read_text() for name in ("stdout", "stderr"))
        return CompletedProcess(self._arguments, status, said, complained)


def _prepare_and_run(prepare: Callable[[], None]) -> int:
    prepare()
    return run()


def _run(
    program: Callable[[], int | None],
    arguments: tuple[str, ...],
    folder: Path,
    environment: dict[str, str],
    outputs: tuple[Path, Path],
) -> None:
    _end_with_parent()
    # Or else a server here would start its workers as this process was started, which it cannot.
    multiprocessing.set_start_method(None, force=True)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    for output, number in zip(outputs, (1, 2), strict=True):
        with output.open("ab") as file:
            os.dup2(file.fileno(), number)
    sys.argv[:] = ["authserver", *arguments]
    gc.freeze()  # as `authserver` does when it has imported itself
    sys.exit(program())


def _end_with_parent() -> None:
    # Or else a server outlives a test run that was killed: the one that forked it lives on as well.
    # The test run holds the other end of this pipe. When that closes, the system sends SIGIO, which ends a process.
    parent = multiprocessing.parent_process()
    assert parent is not None
    fcntl.fcntl(parent.sentinel, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(parent.sentinel, fcntl.F_SETFL, os.O_ASYNC)
