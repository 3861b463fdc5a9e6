"""Races of threads: at once, or in an exact order. A hang is a failure after a time limit."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count, product
from typing import Any, Final, Generic, TypeVar

from authserver.storage import CompiledStatement, Database, last

PATIENCE: Final = 30.0
"""Seconds after which an unfinished thread counts as hanging; the product's own time limits are 5 s."""

BLOCKED: Final = 0.1
"""Seconds after which a running thread is assumed to wait for another one. If this is too short, an interleaving is not
tried, but no test fails wrongly."""

SIDE_BY_SIDE: Final = 4

Outcome = TypeVar("Outcome")
Act = Callable[[], Any]


class Racer(threading.Thread, Generic[Outcome]):
    """A thread with an outcome. An exception of `act` is raised by `outcome`."""

    def __init__(self, act: Callable[[], Outcome]) -> None:
        """Start `act`."""
        super().__init__(daemon=True)  # one that hangs must not keep the test run from ending
        self._act = act
        self._outcome: Outcome
        self._error: BaseException | None = None
        self.start()

    def run(self) -> None:
        """Run the act; called by the thread."""
        try:
            self._outcome = self._act()
        except BaseException as error:  # noqa: BLE001 - raised again by whoever asks for the outcome
            self._error = error

    def outcome(self, patience: float = PATIENCE) -> Outcome:
        """Wait for the thread; return what the act returned."""
        self.join(patience)
        assert not self.is_alive(), f"still running after {patience:.0f} s"
        if self._error is not None:
            raise self._error
        return self._outcome


class WaitPoint:
    """A place in the product where one thread stops, once, until `release`."""

    def __init__(self) -> None:
        """Begin with no thread that stops here."""
        self._armed = threading.local()
        self._reached = threading.Event()
        self._released = threading.Event()

    def stop(self, act: Callable[[], Outcome]) -> Racer[Outcome]:
        """Start `act`; return when its thread stops here, or has ended without reaching this place."""

        def run() -> Outcome:
            self._armed.yes = True
            try:
                return act()
            finally:
                self._reached.set()

        racer = Racer(run)
        assert self._reached.wait(PATIENCE), "neither stopped nor done"
        return racer

    def pass_by(self) -> None:
        """Stop, if the calling thread was started by `stop`. Every thread that reaches this place calls it."""
        if getattr(self._armed, "yes", False):
            self._armed.yes = False
            self._reached.set()
            assert self._released.wait(PATIENCE), "nobody released the wait point"

    def release(self) -> None:
        """Let the stopped thread continue."""
        self._released.set()


@contextmanager
def wait_point(owner: object, name: str) -> Iterator[WaitPoint]:
    """Place a wait point right before each call of `owner.name`, while the block runs."""
    original: Callable[..., Any] = getattr(owner, name)
    point = WaitPoint()

    def stopping(*args: object, **kwargs: object) -> object:
        point.pass_by()
        return original(*args, **kwargs)

    setattr(owner, name, stopping)
    try:
        yield point
    finally:
        point.release()
        setattr(owner, name, original)


BEFORE_TRANSACTION: Final = (Database, "write")
BEFORE_STATEMENT: Final = (CompiledStatement, "execute")
BEFORE_COMMIT: Final = (last, "run")
POINTS: Final = (BEFORE_TRANSACTION, BEFORE_STATEMENT, BEFORE_COMMIT)


@dataclass(frozen=True)
class Duel:
    """Two acts that run against each other, and the check of their outcomes, whichever was faster."""

    acts: tuple[Act, Act]
    check: Callable[[Any, Any], None]


def fight(prepare: Callable[[], Duel], rounds: int) -> None:
    """Run each act stopped at each point while the other one runs; then both at once, `rounds` times.

    Several duels run side by side, each with its own people. So there are more threads than connections, and while one
    duel waits for the disk, another one runs.
    """
    for first, point in product((0, 1), POINTS):
        duel = prepare()
        outcomes = interleave(duel.acts[first], duel.acts[1 - first], point)
        duel.check(*(outcomes if first == 0 else reversed(outcomes)))
    turns = count()

    def take_turns() -> None:
        while next(turns) < rounds:
            duel = prepare()
            duel.check(*race(*duel.acts))

    for racer in [Racer(take_turns) for _ in range(SIDE_BY_SIDE)]:
        racer.outcome(PATIENCE + rounds)


def interleave(first: Act, second: Act, point: tuple[object, str]) -> tuple[Any, Any]:
    """Stop `first` at `point`, run `second` until it ends or waits, let `first` continue; return both outcomes."""
    with wait_point(*point) as stop:
        stopped = stop.stop(first)
        other = Racer(second)
        other.join(BLOCKED)
        stop.release()
        return stopped.outcome(), other.outcome()


def race(*acts: Act) -> list[Any]:
    """Run all acts at once; return their outcomes in order."""
    start = threading.Barrier(len(acts))

    def wait_and_run(act: Act) -> Any:  # noqa: ANN401 - whatever the act returns
        start.wait(PATIENCE)
        return act()

    racers = [Racer(partial(wait_and_run, act)) for act in acts]
    return [racer.outcome() for racer in racers]
