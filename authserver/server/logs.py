"""How the server logs: one event a line, text on a terminal, JSON elsewhere; UTC; to stderr.

JSON escapes every control character, and the text form is for terminals of developers: a name with a line break in it
cannot forge a second line (ASVS 16.4.1).

A line never decides an answer: one that stderr does not take now is dropped and counted, and the next that it takes is
followed by how many were. The audit record, which is in the database, misses nothing.
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
"""Bytes that a pipe takes without waiting when it is ready to be written to."""


def is_json(log_format: Format | None) -> bool:
    """Whether lines are JSON; None chooses by whether stderr is a terminal."""
    if log_format is None:
        # Closed in this process is no terminal, either.
        return sys.stderr is None or sys.stderr.closed or not sys.stderr.isatty()
    return log_format == "json"


def configure_logs(log_format: Format | None, level: str) -> None:
    """Configure structlog for this process. `log_format` None chooses by whether stderr is a terminal."""
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
    """What structlog writes rendered events to: it waits for nothing and raises nothing."""

    def __init__(self, write: Callable[[str], object]) -> None:
        """Write with `write`, which raises what it cannot do."""
        self._write = write
        self._lost = 0
        self._lock = threading.Lock()

    def msg(self, line: str) -> None:
        """Write one line, or count it as lost."""
        with self._lock:
            ending = "\n" if self._lost else ""  # of what was lost, half a line may be there
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
    """How to write to `stream`: past its buffer, where it has a descriptor, so that what fails is not kept in it."""
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
    """Write `data`, `most` bytes at a time, as far as that needs no waiting: its reader may have stopped for hours."""
    ready = select.poll()
    ready.register(descriptor, select.POLLOUT)
    while data:
        if not ready.poll(0):
            raise BlockingIOError
        data = data[os.write(descriptor, data[:most]) :]
