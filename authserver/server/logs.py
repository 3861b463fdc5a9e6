"""The log: one event per line on stderr, in UTC; text on a terminal, JSON elsewhere.

JSON escapes every control character, so that a name with a line break cannot forge a second line (ASVS 16.4.1). The
text form is for terminals of developers.

Logging never delays or fails a request. A line that stderr does not accept at once is dropped and counted, and after
the next line that is accepted, the log says how many were lost. The audit record is in the database and loses nothing.
"""

import logging
import os
import select
import stat
import sys
import threading
from collections.abc import Callable
from typing import Final, Literal, TextIO, final

import structlog

Format = Literal["text", "json"]

_AT_ONCE: Final = select.PIPE_BUF
"""The number of bytes that a pipe accepts without blocking when it is ready for writing."""


def is_json(log_format: Format | None) -> bool:
    """Whether lines are JSON. If `log_format` is None, they are, unless stderr is a terminal."""
    if log_format is None:
        # A stream that was closed in this process is no terminal, either.
        return sys.stderr is None or sys.stderr.closed or not sys.stderr.isatty()
    return log_format == "json"


def configure_logs(log_format: Format | None, level: str) -> None:
    """Configure structlog for this process. If `log_format` is None, it is JSON, unless stderr is a terminal."""
    renderer = structlog.processors.JSONRenderer() if is_json(log_format) else structlog.dev.ConsoleRenderer()
    lines = _Lines(_find_writer(sys.stderr))
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=lambda *_: lines,
        cache_logger_on_first_use=True,
    )


@final
class _Lines:
    """The output of structlog for rendered events. It never blocks and never raises."""

    def __init__(self, write: Callable[[str], object]) -> None:
        """Write with `write`, which raises an error for a line that it cannot write."""
        self._write = write
        self._lost = 0
        self._lock = threading.Lock()

    def msg(self, line: str) -> None:
        """Write one line, or count it as lost."""
        with self._lock:
            ending = "\n" if self._lost else ""  # half of a lost line may have been written
            try:
                self._write(f"{ending}{line}\n")
            except (OSError, ValueError):  # ValueError: the stream was closed in this process
                self._lost += 1
                return
            lost, self._lost = self._lost, 0
        if lost:
            structlog.get_logger(__name__).warning("log_lines_lost", lines=lost)

    debug = info = warning = error = critical = msg


def _find_writer(stream: TextIO | None) -> Callable[[str], object]:
    """Choose how to write to `stream`: directly to its descriptor if it has one.

    The stream's own buffer would keep a line that could not be written.
    """
    if stream is None:
        return _refuse
    try:
        descriptor = stream.fileno()
    except (OSError, ValueError):
        return lambda text: (stream.write(text), stream.flush())
    is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
    return lambda text: _write(descriptor, text.encode("utf-8", "backslashreplace"), None if is_file else _AT_ONCE)


def _refuse(text: str) -> None:
    raise OSError(f"{len(text)} characters for a stream that was closed before this process began")


def _write(descriptor: int, data: bytes, most: int | None) -> None:
    """Write `data`, `most` bytes at a time, without blocking, because the reader may have stopped for hours."""
    ready = select.poll()
    ready.register(descriptor, select.POLLOUT)
    while data:
        if not ready.poll(0):
            raise BlockingIOError
        data = data[os.write(descriptor, data[:most]) :]
