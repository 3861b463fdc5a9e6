"""Private members of granian: what is overridden, called and replaced is still what was read.

After an update of granian that fails here: read its `server/common.py` and `server/mp.py` again, mend `supervisor.py`,
and write the releases that were read into `READ_IN` and `pyproject.toml`.
"""

import inspect
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from granian import _signals
from granian._granian import WorkerSignal
from granian.server.common import AbstractWorker
from granian.server.mp import MPServer, WorkerProcess
from packaging.specifiers import SpecifierSet

from authserver.server.supervisor import READ_IN, Supervisor

OVERRIDDEN = {
    "startup": ["spawn_target", "target_loader"],
    "_init_shared_socket": [],
    "_drop_shared_socket": [],
    "_spawn_worker": ["idx", "target", "callback_loader"],
    "_serve_loop": ["spawn_target", "target_loader"],
    "_stop_workers": [],
}
"""Method of granian's supervisor that this server replaces → its parameters."""

CALLED = {
    "_reload": ["spawn_target", "target_loader"],
    "_respawn_workers": ["workers", "spawn_target", "target_loader", "delay"],
}
STATE = {
    "_ssp",
    "_shd",
    "wrks",
    "main_loop_interrupt",
    "interrupt_signal",
    "interrupt_children",
    "reload_signal",
    "blocking_threads",
}


def parameters(name: str) -> list[str]:
    return list(inspect.signature(getattr(MPServer, name)).parameters)[1:]


def test_the_release_in_use_was_read() -> None:
    assert version("granian") in SpecifierSet(READ_IN)


def test_no_other_release_is_installed() -> None:
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert f"granian{READ_IN}" in project["optional-dependencies"]["server"]


def test_every_override_is_known() -> None:
    """A method that granian does not have is never called: in 2.8.1 `_drop_shared_socket` is such a one."""
    inherited = {name for base in MPServer.__mro__ for name in vars(base)}
    own = {name for name, member in vars(Supervisor).items() if inspect.isfunction(member)}
    assert {name for name in own & inherited if not name.startswith("__")} == set(OVERRIDDEN)


@pytest.mark.parametrize(("name", "expected"), [*OVERRIDDEN.items(), *CALLED.items()])
def test_the_methods_take_what_they_took(name: str, expected: list[str]) -> None:
    assert parameters(name) == expected


@pytest.mark.parametrize("caller", ["startup", "shutdown", "_respawn_workers", "serve"])
def test_granian_calls_what_is_overridden(caller: str) -> None:
    called = {
        "startup": {"_init_shared_socket", "_spawn_workers"},
        "shutdown": {"_drop_shared_socket", "_stop_workers"},
        "_respawn_workers": {"_spawn_worker"},
        "serve": {"startup", "_serve_loop", "shutdown"},
    }
    source = "".join(inspect.getsource(vars(base)[caller]) for base in MPServer.__mro__ if caller in vars(base))
    source += "".join(inspect.getsource(vars(base)["_serve"]) for base in MPServer.__mro__ if "_serve" in vars(base))
    assert {name for name in called[caller] if f"self.{name}(" not in source} == set()


def test_the_supervisor_has_the_state_that_is_read() -> None:
    assert {name for name in STATE if not hasattr(MPServer("nothing"), name)} == set()


def test_workers_have_what_is_asked_of_them() -> None:
    assert "self.inner.kill()" in inspect.getsource(WorkerProcess.kill)
    assert "birth" in inspect.getsource(AbstractWorker.__init__) + inspect.getsource(AbstractWorker.start)
    assert callable(WorkerProcess._id)


def test_a_worker_looks_its_signals_up_when_it_begins() -> None:
    """`begin_worker` puts another function in the place of this one, right after the fork."""
    assert "set_sync_signals()" in inspect.getsource(vars(MPServer)["_spawn_wsgi_worker"])
    assert next(iter(inspect.signature(_signals.set_main_signals).parameters)) == "interrupt_handler"
    assert callable(WorkerSignal().set)
