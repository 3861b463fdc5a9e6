"""A hang is a failure: tests that wait for processes and sockets say how long they may take as a whole."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Fail whatever the main thread does in the block, or in the decorated test, after `seconds`."""

    def fail(_number: int, _frame: FrameType | None) -> None:
        raise AssertionError(f"not done within {seconds:.0f} s")

    before = signal.signal(signal.SIGALRM, fail)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
