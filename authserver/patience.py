"""The limits of waiting for the database: how long a request may wait, and how many requests may wait at once.

This process keeps the deadlines. A frozen PostgreSQL, or one whose answers a firewall drops, keeps no time-out itself,
and its kernel still acknowledges packets.

Each request has one budget of seconds, which every wait spends: for its turn, for a connection, for an answer. Threads
that serve no request (housekeeping, mail, commands) have a budget for each statement. Each door has fewer turns than
there are connections. So a locked table blocks only the doors that need it.
"""

import threading
from collections import deque
from typing import Final

from authserver.clock import SystemClock

REQUEST_SECONDS: Final = 4.5
"""How long a request may wait for the database in total. The documentation promises an answer within 5 s."""

STATEMENT_SECONDS: Final = 5.0
"""How long a statement may take outside a request."""

TURN_SECONDS: Final = 1.0
"""How long a request waits for its turn, and then for a connection of the pool."""

_monotonic = SystemClock().monotonic


class ImpatientError(Exception):
    """This process has given up a wait for the database."""


class _Purse(threading.local):
    """The remaining budget of this thread's request. `door` is None if the thread serves no request."""

    door: str | None = None
    seconds = STATEMENT_SECONDS
    turns = 0


_purse = _Purse()


class serving:  # noqa: N801 - used like a function; a generator would cost each request three times as much
    """Limit this thread's waits for the database in the block to `seconds` in total, and count its turns at `door`."""

    __slots__ = ("_before", "_inside")

    def __init__(self, door: str, seconds: float = REQUEST_SECONDS) -> None:
        """Store the arguments. The budget begins with the block."""
        self._inside = door, seconds

    def __enter__(self) -> None:
        """Set the budget, and remember the previous one."""
        self._before = _purse.door, _purse.seconds
        _purse.door, _purse.seconds = self._inside

    def __exit__(self, *_: object) -> None:
        """Restore the previous budget."""
        _purse.door, _purse.seconds = self._before


def seconds_left() -> float:
    """How long a wait that begins now may last, in seconds."""
    return STATEMENT_SECONDS if _purse.door is None else max(_purse.seconds, 0.0)


def spend(since: float) -> None:
    """Subtract from the budget a wait that began at `since`, in monotonic seconds."""
    _purse.seconds -= _monotonic() - since


def _turn_seconds() -> float:
    return STATEMENT_SECONDS if _purse.door is None else min(TURN_SECONDS, seconds_left())


class Turns:
    """Limits the requests in the database at once, in total and for each door. The first to come is served first.

    Args:
        most: the limit of requests at once.
        most_of_a_door: the limit of requests at once from the same door.
    """

    def __init__(self, most: int, most_of_a_door: int) -> None:
        """Start with all turns free."""
        self._free = most
        self._most_of_a_door = most_of_a_door
        self._inside: dict[str, int] = {}
        self._waiting: deque[_Waiter] = deque()
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        """Wait for a turn, at most `TURN_SECONDS`; `ImpatientError` after that. A nested block needs no second turn."""
        door = _purse.door
        if door is None:
            return
        if _purse.turns == 0 and not self._is_let_in(door):
            self._await_turn(door)
        _purse.turns += 1

    def __exit__(self, *_: object) -> None:
        """Pass the turn to the request that has waited longest and whose door has a free turn."""
        door = _purse.door
        if door is None:
            return
        _purse.turns -= 1
        if _purse.turns == 0:
            with self._lock:
                self._give_back(door)

    def _is_let_in(self, door: str) -> bool:
        with self._lock:
            if self._free == 0 or self._inside.get(door, 0) >= self._most_of_a_door:
                return False
            self._take(door)
            return True

    def _await_turn(self, door: str) -> None:
        waiter = _Waiter(door)
        since = _monotonic()
        with self._lock:
            self._waiting.append(waiter)
            self._wake()  # a turn may have become free meanwhile
        came = waiter.turn.acquire(timeout=_turn_seconds())
        spend(since)
        if not came:
            with self._lock:
                if waiter in self._waiting:
                    self._waiting.remove(waiter)
                    raise ImpatientError("all turns are taken")

    def _take(self, door: str) -> None:
        self._free -= 1
        self._inside[door] = self._inside.get(door, 0) + 1

    def _give_back(self, door: str) -> None:
        self._free += 1
        inside = self._inside.pop(door) - 1  # anybody can make up paths, so unused doors are not kept
        if inside:
            self._inside[door] = inside
        if self._waiting:
            self._wake()

    def _wake(self) -> None:
        for waiter in self._waiting:
            if self._free and self._inside.get(waiter.door, 0) < self._most_of_a_door:
                self._waiting.remove(waiter)
                self._take(waiter.door)
                waiter.turn.release()
                return


class OneAtATime:
    """Admits one thread at a time; a wait that is too long ends with an `ImpatientError`.

    A thread inside needs no turn: SQLite has one writer, so its queue is enough, and a second one would be too many.
    """

    def __init__(self) -> None:
        """Start with nobody inside."""
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        """Wait for the lock, and subtract the wait from the budget."""
        if not self._lock.acquire(blocking=False):
            since = _monotonic()
            came = self._lock.acquire(timeout=_turn_seconds())
            spend(since)
            if not came:
                raise ImpatientError("others are writing")
        _purse.turns += 1

    def __exit__(self, *_: object) -> None:
        """Admit the next thread."""
        _purse.turns -= 1
        self._lock.release()


class _Waiter:
    """A request that waits for its turn."""

    __slots__ = ("door", "turn")

    def __init__(self, door: str) -> None:
        self.door = door
        self.turn = threading.Lock()
        self.turn.acquire()
