"""The load driver loadgen.c, compiled on demand. A driver in Python would use more CPU than the measured server."""

import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

_SOURCE = Path(__file__).with_name("loadgen.c")


class NoCompilerError(Exception):
    """There is no C compiler. The message says in one line what to install."""


@dataclass(frozen=True, slots=True)
class Load:
    """The result of one run. `answered` includes the warm-up."""

    rate: float
    p50_ms: float
    p99_ms: float
    answered: int


@dataclass(frozen=True, slots=True)
class Request:
    """The request that each client repeats: a GET, or a POST in whose `body` `{client}` and `{token}` are replaced."""

    url: str
    body: str | None
    content_type: str = "application/x-www-form-urlencoded"
    tokens: Path | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    expected_status: int = 200


class Driver:
    """The compiled driver."""

    def __init__(self, folder: Path) -> None:
        """Compile it in `folder`; `NoCompilerError` without a compiler."""
        compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
        if compiler is None:
            raise NoCompilerError("make bench needs a C compiler for its load driver: install gcc")
        self._binary = folder / "loadgen"
        subprocess.run([compiler, "-O2", "-o", self._binary, _SOURCE], check=True)

    def run(self, request: Request, *, clients: int, seconds: float, warm_up: float = 0.5) -> Load:
        """Run `clients` for `warm_up` and then `seconds`; `RuntimeError` if an answer had an unexpected status."""
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
