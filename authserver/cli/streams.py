"""Standard output and standard error of a command, whose failures never interrupt the command.

A command completes its work even if its output is lost: the reader of a pipe exits (`| head -1`), a disk is full, or a
stream was closed before the command began. Lost output is dropped; `run` in `main` reports it in one line at the end.
"""

import errno
import io
import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO, cast, final

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_STANDARD = (0, 1, 2)


@contextmanager
def forgiving_streams() -> Iterator[None]:
    """Replace the standard streams in this block.

    A closed standard stream becomes one that drops everything. Its descriptor is occupied. Otherwise the next opened
    file would get it, and the text that a library writes to standard error would end up in the database.
    """
    _occupy_standard_descriptors()
    former = sys.stdin, sys.stdout, sys.stderr
    sys.stdout, sys.stderr = _forgive(sys.stdout), _forgive(sys.stderr)
    with open(os.devnull, encoding="utf-8") as nothing:  # noqa: PTH123 - a device, not a path
        sys.stdin = sys.stdin or nothing
        try:
            yield
        finally:
            sys.stdin, sys.stdout, sys.stderr = former


@final
class ForgivingStream(io.TextIOWrapper):
    """A text stream that writes to a descriptor at once. Characters that the encoding lacks are escaped."""

    def __init__(self, descriptor: int | None, encoding: str) -> None:
        """Write to `descriptor`; None means a stream that was already closed."""
        self._raw = _ForgivingFile(descriptor)
        super().__init__(cast("Any", self._raw), encoding, errors="backslashreplace", write_through=True)

    @property
    def trouble(self) -> OSError | None:
        """The error because of which output was lost; None if none was."""
        return self._raw.trouble

    def has_lost_reader(self) -> bool:
        """Whether the other end of the pipe is closed. The check writes nothing."""
        return self._raw.has_lost_reader()


class _ForgivingFile(io.RawIOBase):
    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = descriptor
        self.trouble: OSError | None = None

    def fileno(self) -> int:
        if self._descriptor is None:
            raise io.UnsupportedOperation("the stream was closed before this process began")
        return self._descriptor

    def has_lost_reader(self) -> bool:
        if self._descriptor is None:
            return True
        poll = select.poll()
        poll.register(self._descriptor, 0)
        return any(event & select.POLLERR for _, event in poll.poll(0))

    def isatty(self) -> bool:
        return self._descriptor is not None and os.isatty(self._descriptor)

    def writable(self) -> bool:
        return True

    def write(self, data: "ReadableBuffer", /) -> int:
        """Write all of `data`, or drop it. After a first failure everything is dropped."""
        whole = bytes(data)
        if whole and self.trouble is None:
            self.trouble = _write(self._descriptor, whole)
        return len(whole)


def _write(descriptor: int | None, data: bytes) -> OSError | None:
    """Write `data`; return the error if that fails."""
    if descriptor is None:
        return OSError(errno.EBADF, os.strerror(errno.EBADF))
    try:
        while data:
            try:
                data = data[os.write(descriptor, data) :]
            except BlockingIOError:  # another process has made the pipe non-blocking
                select.select([], [descriptor], [])
    except OSError as error:
        return error
    return None


def _forgive(stream: TextIO | None) -> TextIO:
    """Wrap `stream`. A stream without a descriptor was put there by this process and is kept."""
    if stream is None:
        return ForgivingStream(None, "utf-8")
    try:
        descriptor = stream.fileno()
    except (OSError, ValueError):
        return stream
    return ForgivingStream(descriptor, stream.encoding or "utf-8")


def _occupy_standard_descriptors() -> None:
    for number in _STANDARD:
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # it gets the lowest free number, which is this one
