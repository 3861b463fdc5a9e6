"""Servers under test as processes that end with the test."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

PATIENCE = 20.0
"""Seconds to wait for something before the test fails."""


def free_port() -> int:
    """Return a port on which nothing listens now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(
    *arguments: str, environment: Mapping[str, str] | None = None, python: str | Path = sys.executable
) -> Iterator["subprocess.Popen[str]"]:
    """Run `python -m …` with piped output, in its own process group; kill it after the block if it still runs."""
    process = subprocess.Popen(
        [python, "-m", *arguments],
        env={**os.environ, **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with process:  # which waits for its end
        try:
            yield process
            if process.poll() is None:
                process.terminate()
                process.wait(PATIENCE)
        finally:
            if process.poll() is None:
                process.kill()


def wait_until(happened: Callable[[], bool], what: str) -> None:
    """Poll until `happened` returns true, or fail with `what` in the message."""
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline, f"{what} did not happen within {PATIENCE} s"
        time.sleep(0.02)


def is_running(pid: int) -> bool:
    """Whether the process `pid` exists and has not ended."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def kill(pid: int, how: signal.Signals = signal.SIGKILL) -> None:
    """End a process, by default with SIGKILL."""
    os.kill(pid, how)


def end(process: "subprocess.Popen[bytes]") -> None:
    """End a granian server, with force if needed: it may miss a signal that arrives while a worker starts."""
    process.terminate()
    try:
        process.wait(PATIENCE / 4)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(PATIENCE)
