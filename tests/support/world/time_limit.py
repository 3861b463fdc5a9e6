"""Time limits for tests that wait for processes and sockets, so that a hang is a failure."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Fail the block or the decorated test after `seconds`. Only the main thread is interrupted."""

    def fail(_number: int, _frame: FrameType | None) -> None:
        raise AssertionError(f"not done within {seconds:.0f} s")

    before = signal.signal(signal.SIGALRM, fail)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
