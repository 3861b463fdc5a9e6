"""Threads that meet: at once, or in an exact order. A hang is a failure, never a wait without end."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count, product
from typing import Any, Final, Generic, TypeVar

from authserver.storage import CompiledStatement, Database, last

PATIENCE: Final = 30.0
"""Seconds after which a thread that has not come to an end counts as hanging; the product's own time-outs are 5 s."""

BLOCKED: Final = 0.1
"""Seconds after which a thread that still runs is taken to be waiting for another one. Too short loses an
interleaving, never a failure."""

SIDE_BY_SIDE: Final = 4

Outcome = TypeVar("Outcome")
Act = Callable[[], Any]


class Racer(threading.Thread, Generic[Outcome]):
    """A thread whose outcome is asked for later; what it raised is raised there."""

    def __init__(self, act: Callable[[], Outcome]) -> None:
        """Start `act`."""
        super().__init__(daemon=True)  # one that hangs must not keep the test run from ending
        self._act = act
        self._outcome: Outcome
        self._error: BaseException | None = None
        self.start()

    def run(self) -> None:
        """Run the act."""
        try:
            self._outcome = self._act()
        except BaseException as error:  # noqa: BLE001 - raised again by whoever asks for the outcome
            self._error = error

    def outcome(self, patience: float = PATIENCE) -> Outcome:
        """What the act returned."""
        self.join(patience)
        assert not self.is_alive(), f"still running after {patience:.0f} s"
        if self._error is not None:
            raise self._error
        return self._outcome


class WaitPoint:
    """A place in the product where one thread stops, once, until `release`."""

    def __init__(self) -> None:
        """Nobody has been told to stop."""
        self._armed = threading.local()
        self._reached = threading.Event()
        self._released = threading.Event()

    def stop(self, act: Callable[[], Outcome]) -> Racer[Outcome]:
        """Start `act`; return when its thread stops here, or has come to its end without passing here."""

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
        """Called by every thread that comes here."""
        if getattr(self._armed, "yes", False):
            self._armed.yes = False
            self._reached.set()
            assert self._released.wait(PATIENCE), "nobody released the wait point"

    def release(self) -> None:
        """Let the thread go on."""
        self._released.set()


@contextmanager
def wait_point(owner: object, name: str) -> Iterator[WaitPoint]:
    """A point right before each call of `owner.name`, while the block runs."""
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
    """Two acts that are set against each other, and what must be so whichever of them was faster."""

    acts: tuple[Act, Act]
    check: Callable[[Any, Any], None]


def fight(prepare: Callable[[], Duel], rounds: int) -> None:
    """Try each act stopped at each point while the other one runs; then `rounds` times both at once.

    Several duels go on side by side, each with people of its own: so there are more threads than connections, and the
    time that one waits for the disk is another one's.
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
    """Stop `first` at `point`, run `second` until it is done or waits for `first`, let `first` go on; both outcomes."""
    with wait_point(*point) as stop:
        stopped = stop.stop(first)
        other = Racer(second)
        other.join(BLOCKED)
        stop.release()
        return stopped.outcome(), other.outcome()


def race(*acts: Act) -> list[Any]:
    """Run all acts at once; their outcomes in order."""
    start = threading.Barrier(len(acts))

    def wait_and_run(act: Act) -> Any:  # noqa: ANN401 - whatever the act returns
        start.wait(PATIENCE)
        return act()

    racers = [Racer(partial(wait_and_run, act)) for act in acts]
    return [racer.outcome() for racer in racers]
