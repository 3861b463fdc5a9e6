"""The load driver: loadgen.c, built on the way, because a driver in Python would use more CPU than what it measures."""

import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

_SOURCE = Path(__file__).with_name("loadgen.c")


class NoCompilerError(Exception):
    """There is no C compiler; the text says what to install, in one line."""


@dataclass(frozen=True, slots=True)
class Load:
    """What one run of the driver saw. `answered` counts the warm-up, too."""

    rate: float
    p50_ms: float
    p99_ms: float
    answered: int


@dataclass(frozen=True, slots=True)
class Request:
    """What each client sends, again and again: a GET, or a POST with `{client}` and `{token}` replaced in `body`."""

    url: str
    body: str | None
    content_type: str = "application/x-www-form-urlencoded"
    tokens: Path | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    expected_status: int = 200


class Driver:
    """A built driver."""

    def __init__(self, folder: Path) -> None:
        """Build it in `folder`; `NoCompilerError` without a compiler."""
        compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
        if compiler is None:
            raise NoCompilerError("make bench needs a C compiler for its load driver: install gcc")
        self._binary = folder / "loadgen"
        subprocess.run([compiler, "-O2", "-o", self._binary, _SOURCE], check=True)

    def run(self, request: Request, *, clients: int, seconds: float, warm_up: float = 0.5) -> Load:
        """Put `clients` to work for `warm_up` and `seconds`; `RuntimeError` when any answer had another status."""
        arguments = ["-u", request.url, "-x", str(request.expected_status), "-T", request.content_type]
        arguments += ["-c", str(clients), "-d", str(seconds), "-w", str(warm_up)]
        arguments += ["-H", "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())]
        if request.body is not None:
            arguments += ["-b", request.body]
        if request.tokens is not None:
            arguments += ["-s", str(request.tokens)]
        done = subprocess.run([self._binary, *arguments], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{request.url}: {done.stderr.strip() or done.stdout}")
        members = json.loads(done.stdout)
        return Load(members["rate"], members["p50_ms"], members["p99_ms"], members["answered"])
