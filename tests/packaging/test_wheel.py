"""The wheel: alone it is a verifier, with the `server` extra a server, each far away from the repository.

Needs the package registry that pip is configured for: what is promised is what `pip install` does.
"""

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from tests.support.world.processes import free_port, running

ROOT = Path(__file__).parents[2]
INSTALL_SECONDS = 300


def run(*arguments: str | Path, cwd: Path) -> "subprocess.CompletedProcess[str]":
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        arguments, cwd=cwd, env=environment, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built as `pip wheel .` does."""
    folder = tmp_path_factory.mktemp("wheel")
    built = run(
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "--wheel-dir",
        folder,
        ROOT,
        cwd=folder,
    )
    assert built.returncode == 0, built.stderr
    (path,) = folder.glob("*.whl")
    return path


def make_environment(folder: Path) -> Path:
    """A fresh virtual environment with nothing in it; the path of its Python."""
    venv.create(folder)
    return folder / "bin" / "python"


def pip(python: Path, *arguments: str | Path) -> str:
    """What our pip says of the environment of `python`: one of its own would take longer than what it is for."""
    done = run(sys.executable, "-m", "pip", "--python", python, *arguments, cwd=python.parent)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_carries_everything_that_is_not_code(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    source = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "authserver").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert source <= names
    assert "authserver/py.typed" in names
    migrations = {path.name for path in (ROOT / "migrations").rglob("*.py") if "__pycache__" not in path.parts}
    assert migrations <= {Path(name).name for name in names if name.startswith("authserver/migrations/")}
    assert not [name for name in names if name.startswith(("tests/", "keys/", "examples/", "migrations/"))]


def test_the_base_install_is_a_working_verifier_and_says_what_the_server_needs(wheel: Path, tmp_path: Path) -> None:
    python = make_environment(tmp_path / "venv")
    pip(python, "install", "--quiet", "--no-compile", wheel)
    told = run(python.with_name("authserver"), "serve", cwd=tmp_path)
    assert (told.returncode, told.stdout) == (1, "")
    assert told.stderr.count("\n") == 1
    assert "pip install 'WHEEL[server]'" in told.stderr
    script = (
        "from authserver.verifier import InvalidToken, Verifier\n"
        "try:\n"
        "    Verifier(issuer='https://auth.example', audience='https://api.example').verify('x')\n"
        "except InvalidToken as refused:\n"
        "    print(refused.code)\n"
    )
    verified = run(python, "-c", script, cwd=tmp_path)
    assert (verified.stdout, verified.stderr) == ("malformed\n", "")
    names = {line.partition("==")[0].lower() for line in pip(python, "list", "--format=freeze").splitlines()}
    assert names <= {
        "authserver",
        "cffi",
        "cryptography",
        "pycparser",
        "pyjwt",
        "typing_extensions",
    }


def test_the_server_works_from_an_empty_folder(wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the libraries of this environment, so that only the wheel itself is on trial."""
    python = make_environment(tmp_path / "venv")
    pip(python, "install", "--quiet", "--no-compile", "--no-deps", wheel)
    (site,) = (tmp_path / "venv").glob("lib/python*/site-packages")
    (site / "libraries.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    work = tmp_path / "work"
    work.mkdir()
    where = run(python, "-c", "import authserver; print(authserver.__file__)", cwd=work)
    assert Path(where.stdout.strip()).is_relative_to(site)
    initialised = run(python.with_name("authserver"), "init", cwd=work)
    assert initialised.returncode == 0, initialised.stderr
    checked = run(python.with_name("authserver"), "db", "check", cwd=work)
    assert checked.returncode == 0, checked.stderr
    monkeypatch.chdir(work)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    with running("authserver", "serve", "--port", str(free_port()), python=python) as process:
        assert process.stderr is not None
        assert '"event": "serving"' in process.stderr.readline()
