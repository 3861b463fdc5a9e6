"""How long a request may wait for the database, and how many may wait at once.

Deadlines are kept at this end. A PostgreSQL that is frozen, or a firewall that swallows what it answers, keeps no
time-out of its own, and its kernel goes on acknowledging.

Each request has one purse of seconds, spent by every wait: for its turn, for a connection, for an answer. Threads that
serve no request (housekeeping, mail, commands) have a purse for each statement. And each door has fewer turns than
there are connections, so that a table that somebody has locked keeps only those doors waiting that need it.
"""

import threading
from collections import deque
from typing import Final

from authserver.clock import SystemClock

REQUEST_SECONDS: Final = 4.5
"""What one request may wait for the database in all; docs promise an answer within 5 s."""

STATEMENT_SECONDS: Final = 5.0
"""What one statement may take outside any request."""

TURN_SECONDS: Final = 1.0
"""What a request waits for its turn, and then for a connection of the pool."""

_monotonic = SystemClock().monotonic


class ImpatientError(Exception):
    """A wait for the database was given up at this end."""


class _Purse(threading.local):
    """What the request of this thread has left; `door` is None where no request is served."""

    door: str | None = None
    seconds = STATEMENT_SECONDS
    turns = 0


_purse = _Purse()


class serving:  # noqa: N801 - reads as what it is; a generator would cost each request three times as much
    """Let this thread wait for the database `seconds` in all inside the block, and take its turns at `door`."""

    __slots__ = ("_before", "_inside")

    def __init__(self, door: str, seconds: float = REQUEST_SECONDS) -> None:
        """Begin with the block."""
        self._inside = door, seconds

    def __enter__(self) -> None:
        """Put the purse of before aside."""
        self._before = _purse.door, _purse.seconds
        _purse.door, _purse.seconds = self._inside

    def __exit__(self, *_: object) -> None:
        """Take it up again."""
        _purse.door, _purse.seconds = self._before


def seconds_left() -> float:
    """How long the wait that begins now may last."""
    return STATEMENT_SECONDS if _purse.door is None else max(_purse.seconds, 0.0)


def spend(since: float) -> None:
    """Count a wait that began at `since`, in monotonic seconds."""
    _purse.seconds -= _monotonic() - since


def _turn_seconds() -> float:
    return STATEMENT_SECONDS if _purse.door is None else min(TURN_SECONDS, seconds_left())


class Turns:
    """Lets so many requests into the database at once, and fewer of any one door; first come, first served.

    Args:
        most: requests inside at once.
        most_of_a_door: of those, how many through the same door.
    """

    def __init__(self, most: int, most_of_a_door: int) -> None:
        """Let nobody in yet."""
        self._free = most
        self._most_of_a_door = most_of_a_door
        self._inside: dict[str, int] = {}
        self._waiting: deque[_Waiter] = deque()
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        """Wait for a turn, at most `TURN_SECONDS`; `ImpatientError` after that. Within a turn there is no other."""
        door = _purse.door
        if door is None:
            return
        if _purse.turns == 0 and not self._is_let_in(door):
            self._await_turn(door)
        _purse.turns += 1

    def __exit__(self, *_: object) -> None:
        """Hand the turn to whoever waited longest and may have it."""
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
            self._wake()  # a turn may have been given back meanwhile
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
        inside = self._inside.pop(door) - 1  # doors are named by paths, anybody may make one up, so none stays
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
    """Lets one thread after the other in, and gives up with an `ImpatientError`.

    Who is inside needs no turn: at SQLite, where everybody waits for the one writer, two queues would be one too many.
    """

    def __init__(self) -> None:
        """Let nobody in yet."""
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        """Wait, and count the wait."""
        if not self._lock.acquire(blocking=False):
            since = _monotonic()
            came = self._lock.acquire(timeout=_turn_seconds())
            spend(since)
            if not came:
                raise ImpatientError("others are writing")
        _purse.turns += 1

    def __exit__(self, *_: object) -> None:
        """Let the next one in."""
        _purse.turns -= 1
        self._lock.release()


class _Waiter:
    """A request that waits for its turn."""

    __slots__ = ("door", "turn")

    def __init__(self, door: str) -> None:
        self.door = door
        self.turn = threading.Lock()
        self.turn.acquire()
