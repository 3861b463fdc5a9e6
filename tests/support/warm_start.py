"""`authserver` in processes of their own that begin with its modules loaded: to import them anew takes a second each.

They are forked from a process that has imported the product and done nothing else. From there on all is as in any
process: an environment and an output of its own, an exit status, a SIGKILL.
"""

import multiprocessing
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from subprocess import CompletedProcess
from typing import Final

from authserver.cli.main import run
from tests.support.processes import PATIENCE

_FORKS: Final = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload([__name__])


class WarmCommand:
    """`authserver ARGUMENTS`, which runs."""

    def __init__(
        self, folder: Path, environment: Mapping[str, str], *arguments: str, prepare: Callable[[], None] | None = None
    ) -> None:
        """Start it in a new folder in `folder`; `prepare`, which a module must own, is called in it before."""
        self._arguments = arguments
        self._folder = Path(tempfile.mkdtemp(dir=folder))
        self._process = _FORKS.Process(target=_run, args=(self._folder, dict(environment), arguments, prepare))
        self._process.start()

    def finish(self) -> "CompletedProcess[str]":
        """What came of it; minus the signal, as the exit status, when it was killed."""
        self._process.join(PATIENCE)
        status = self._process.exitcode
        if status is None:
            self._process.kill()
        assert status is not None, f"{self._arguments} still run after {PATIENCE} s"
        said, complained = ((self._folder / name).read_text() for name in ("stdout", "stderr"))
        return CompletedProcess(self._arguments, status, said, complained)


def _run(
    folder: Path, environment: dict[str, str], arguments: tuple[str, ...], prepare: Callable[[], None] | None
) -> None:
    # Or else a server here would start its workers as this process was started, which it cannot.
    multiprocessing.set_start_method(None, force=True)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for name, number in (("stdout", 1), ("stderr", 2)):
        with (folder / name).open("wb") as file:
            os.dup2(file.fileno(), number)
    if prepare is not None:
        prepare()
    sys.argv[:] = ["authserver", *arguments]
    sys.exit(run())
