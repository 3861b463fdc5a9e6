"""Counters of tries: the promises that memory and the file of a node share, and those of the file alone."""

import fcntl
import os
import struct
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from limits.errors import StorageError
from limits.storage import Storage

from authserver.web.limits.counters import BoundedCounters
from authserver.web.limits.limits import Limits, account_key
from authserver.web.limits.node_counters import BUCKETS, FILE_NAME, SLOTS, NodeCounters
from tests.support.world.clock import ManualClock
from tests.support.world.entropy import SeededEntropy

Counters = BoundedCounters | NodeCounters


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "home" / FILE_NAME


@pytest.fixture
def join(file: Path, clock: ManualClock) -> Callable[[], NodeCounters]:
    """Opens the file as one more process does."""
    return lambda: NodeCounters(file, clock, SeededEntropy())


@pytest.fixture(params=["memory", "file"])
def counters(request: pytest.FixtureRequest, clock: ManualClock, join: Callable[[], NodeCounters]) -> Counters:
    return BoundedCounters(clock) if request.param == "memory" else join()


def test_a_counter_begins_anew_after_its_window(counters: Counters, clock: ManualClock) -> None:
    assert [counters.incr("a", 60), counters.incr("a", 60)] == [1, 2]
    assert counters.get_expiry("a") == clock.seconds() + 60
    clock.advance(timedelta(seconds=60))
    assert counters.get("a") == 0
    assert counters.incr("a", 60) == 1


def test_a_try_that_was_taken_back_was_none(counters: Counters) -> None:
    assert [counters.incr("a", 60, amount) for amount in (1, 1, -1, 1)] == [1, 2, 1, 2]
    assert [counters.incr("b", 60, -1), counters.incr("b", 60)] == [0, 1]


def test_reset_and_clear_forget(counters: Counters) -> None:
    for name in "abc":
        counters.incr(name, 60)
    counters.clear("a")
    counters.clear("never counted")
    assert (counters.get("a"), counters.get("b")) == (0, 1)
    counters.reset()
    assert (counters.get("b"), counters.get("c")) == (0, 0)


def test_a_window_that_was_begun_by_a_clock_far_ahead_ends(counters: Counters, clock: ManualClock) -> None:
    """Else an account would be shut for ten years because a clock was wrong for a minute."""
    now = clock.now()
    clock.set_wall(now + timedelta(days=3650))
    counters.incr("a", 60)
    clock.set_wall(now)
    assert counters.incr("a", 60) == 2
    clock.advance(timedelta(seconds=60))
    assert counters.incr("a", 60) == 1


def test_no_try_is_lost_between_threads_and_processes(join: Callable[[], NodeCounters]) -> None:
    """Two that opened the file each for itself are two processes to the lock."""
    processes = join(), join()
    with ThreadPoolExecutor(8) as threads:
        counts = list(threads.map(lambda number: processes[number % 2].incr("a", 60), range(400)))
    assert sorted(counts) == list(range(1, 401))


def test_counts_outlive_the_process(join: Callable[[], NodeCounters], file: Path) -> None:
    join().incr("a", 60)
    assert join().incr("a", 60) == 2
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_process_that_holds_the_lock_does_not_stop_the_others(
    join: Callable[[], NodeCounters], file: Path, clock: ManualClock
) -> None:
    """Frozen: the others count by themselves after a moment. Dead: the system has given the lock back."""
    limits = Limits("2 per minute", "9 per minute", join(), clock)
    key = account_key("ada@example.test")
    assert limits.hit(key) is None
    frozen = os.open(file, os.O_RDWR)
    fcntl.flock(frozen, fcntl.LOCK_EX)
    assert [limits.hit(key) for _ in range(3)] == [None, None, 60]
    os.close(frozen)
    assert [limits.hit(key) for _ in range(2)] == [None, 60]


def test_the_file_stays_bounded_and_keeps_what_counted_most(join: Callable[[], NodeCounters], file: Path) -> None:
    """A flood of made-up accounts neither fills the disk nor makes an account under attack forget its tries."""
    counters = join()
    for _ in range(3):
        counters.incr("under attack", 60)
    _fill(file)
    for number in range(SLOTS * 4):
        counters.incr(f"made up {number}", 60)
    assert counters.get("under attack") == 3
    assert file.stat().st_size <= 1 << 23
    assert BUCKETS * SLOTS == 131_072


def _fill(file: Path) -> None:
    """Write a counter of somebody else into every slot that is empty."""
    content = bytearray(file.read_bytes().ljust(48 + 32 * BUCKETS * SLOTS, b"\0"))
    for place in range(48, len(content), 32):
        if not any(content[place : place + 32]):
            content[place : place + 32] = struct.pack("=16sdq", b"made up earlier", 4e9, 1)
    file.write_bytes(content)


@pytest.mark.parametrize("content", [b"", b"short", os.urandom(1 << 16), bytes(1 << 16)])
def test_any_bytes_are_a_table(join: Callable[[], NodeCounters], file: Path, content: bytes) -> None:
    """A machine that lost power leaves a file that nobody has to repair."""
    file.parent.mkdir()
    file.write_bytes(content)
    assert [join().incr("a", 60) for _ in range(2)] == [1, 2]


def test_a_file_that_cannot_be_used_is_an_error_of_the_storage(join: Callable[[], Storage], file: Path) -> None:
    file.parent.mkdir()
    file.symlink_to("/dev/null")
    with pytest.raises(StorageError):
        join().incr("a", 60)
