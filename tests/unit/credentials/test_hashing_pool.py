"""The bulkhead: few at a time, few waiting, nobody else disturbed."""

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from authserver.credentials.hashing_pool import Busy, HashingPool, Places

PATIENCE = 20.0  # seconds until a hang is a failure
ROOM = Places(3, 1)


class _Gate:
    """Work that waits for a sign and counts how much of it ran at once."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.entered = threading.Semaphore(0)
        self.most = 0
        self._inside = 0
        self._lock = threading.Lock()

    def work(self) -> str:
        with self._lock:
            self._inside += 1
            self.most = max(self.most, self._inside)
        self.entered.release()
        assert self.opened.wait(PATIENCE)
        with self._lock:
            self._inside -= 1
        return "done"


def test_the_result_of_the_work_comes_back() -> None:
    assert HashingPool(ROOM).run(lambda: "hash") == "hash"


def test_what_the_work_raises_is_raised_to_its_caller() -> None:
    pool = HashingPool(Places(1, 0))
    with pytest.raises(ZeroDivisionError):
        pool.run(lambda: 1 / 0)
    assert pool.run(lambda: "still open") == "still open"


def test_no_thread_starts_before_the_first_work() -> None:
    before = threading.active_count()
    pool = HashingPool(ROOM)
    assert threading.active_count() == before
    assert pool.run(threading.current_thread) is not threading.current_thread()


@pytest.mark.parametrize(("threads", "admitted"), [(1, 1), (1, 3), (2, 3)])
def test_one_caller_too_many_is_told_at_once(threads: int, admitted: int) -> None:
    """Those inside are all served, at most `threads` of them at a time; then there is room again."""
    pool, gate = HashingPool(Places(admitted, 0), threads=threads), _Gate()
    with ThreadPoolExecutor(admitted) as callers:
        inside = [callers.submit(pool.run, gate.work) for _ in range(admitted)]
        for _ in range(threads):
            assert gate.entered.acquire(timeout=PATIENCE)
        while pool._find_crew().everybody.places._value:  # the last waiter may still be on its way in
            threading.Event().wait(0.001)
        assert pool.run(gate.work) == Busy()
        gate.opened.set()
        assert [caller.result(PATIENCE) for caller in inside] == ["done"] * admitted
    assert gate.most == threads
    assert pool.run(gate.work) == "done"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no niceness of one thread")
def test_hashing_gives_way_to_everything_else() -> None:
    """The hashing thread is nice; the thread that serves requests is not."""

    def niceness() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    before = niceness()
    assert HashingPool(ROOM, niceness=before + 5).run(niceness) == before + 5
    assert niceness() == before


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_pool_made_and_used_before_a_fork_works_in_the_child() -> None:
    """Threads do not survive a fork; a child that waited for its parent's would wait for ever."""
    pool = HashingPool(Places(1, 0))
    assert pool.run(os.getpid) == os.getpid()
    child = os.fork()
    if child == 0:
        worked = False
        try:
            caller = ThreadPoolExecutor(1).submit(pool.run, os.getpid)
            worked = caller.result(PATIENCE) == os.getpid()
        finally:
            os._exit(0 if worked else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert pool.run(os.getpid) == os.getpid()


@pytest.mark.parametrize(("threads", "admitted"), [(0, 1), (2, 1), (-1, -1)])
def test_a_pool_that_could_not_work_is_refused(threads: int, admitted: int) -> None:
    with pytest.raises(ValueError, match="a hashing pool needs"):
        HashingPool(Places(admitted, 0), threads=threads)


@pytest.mark.parametrize(
    ("request_threads", "places"),
    [(1, (1, 0)), (2, (1, 0)), (3, (2, 0)), (4, (2, 1)), (8, (5, 1)), (24, (16, 2)), (512, (341, 42))],
)
def test_some_request_threads_never_wait_for_a_hash(request_threads: int, places: tuple[int, int]) -> None:
    assert Places.among(request_threads) == Places(*places)


def test_all_but_the_only_request_thread_leave_one_for_others() -> None:
    for request_threads in range(2, 513):
        places = Places.among(request_threads)
        assert places.admitted + places.kept < request_threads


def test_who_waits_too_long_is_sent_away_and_leaves_its_place() -> None:
    """What was not begun is not done; what has begun is waited for, however slow it is."""
    pool, gate, late = HashingPool(Places(2, 0), patience=0.01), _Gate(), _Gate()
    with ThreadPoolExecutor(1) as callers:
        slow = callers.submit(pool.run, gate.work)
        assert gate.entered.acquire(timeout=PATIENCE)
        for _ in range(3):
            assert pool.run(late.work) == Busy()
        gate.opened.set()
        assert slow.result(PATIENCE) == "done"
    assert late.most == 0


def test_the_known_have_places_and_a_thread_of_their_own_when_all_others_are_taken() -> None:
    """Nobody is asked whether they are known while there is room."""
    pool, gate = HashingPool(Places(1, 1)), _Gate()

    def never() -> bool:
        raise AssertionError

    assert pool.run(lambda: "room", is_known=never) == "room"
    with ThreadPoolExecutor(2) as callers:
        first = callers.submit(pool.run, gate.work)
        assert gate.entered.acquire(timeout=PATIENCE)
        assert pool.run(gate.work, is_known=lambda: False) == Busy()
        assert pool.run(lambda: "let in", is_known=lambda: True) == "let in"
        second = callers.submit(lambda: pool.run(gate.work, is_known=lambda: True))
        assert gate.entered.acquire(timeout=PATIENCE)
        assert pool.run(gate.work, is_known=lambda: True) == Busy()
        gate.opened.set()
        assert (first.result(PATIENCE), second.result(PATIENCE)) == ("done", "done")
