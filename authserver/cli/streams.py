"""Standard output and standard error of a command: what cannot be written ends no act and raises nothing.

An act is done whole, whatever becomes of its words: the reader of a pipe goes (`| head -1`), a disk is full, a stream
was closed before the command began. What cannot be written is dropped; `run` in `main` says so at the end, in one line.
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

    A standard stream that was closed becomes one that loses everything. Its descriptor is taken, or else the next file
    would get it: what a library writes to standard error would then go into the database.
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
    """Text to a descriptor, written at once. A character that the encoding lacks is spelled out."""

    def __init__(self, descriptor: int | None, encoding: str) -> None:
        """Write to `descriptor`; None is a stream that was closed before."""
        self._raw = _ForgivingFile(descriptor)
        super().__init__(cast("Any", self._raw), encoding, errors="backslashreplace", write_through=True)

    @property
    def trouble(self) -> OSError | None:
        """Why something that was printed did not arrive, if it did not."""
        return self._raw.trouble

    def has_lost_reader(self) -> bool:
        """Whether the other end of the pipe is closed. Nothing is written to find out."""
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
        """Take all of `data`, and lose it when it cannot be written; from then on lose everything."""
        whole = bytes(data)
        if whole and self.trouble is None:
            self.trouble = _write(self._descriptor, whole)
        return len(whole)


def _write(descriptor: int | None, data: bytes) -> OSError | None:
    """Why `data` was not written, if it was not."""
    if descriptor is None:
        return OSError(errno.EBADF, os.strerror(errno.EBADF))
    try:
        while data:
            try:
                data = data[os.write(descriptor, data) :]
            except BlockingIOError:  # somebody else at this pipe does not wait; we do
                select.select([], [descriptor], [])
    except OSError as error:
        return error
    return None


def _forgive(stream: TextIO | None) -> TextIO:
    """`stream`, forgiving. One that has no descriptor is not the system's, but somebody's in this process."""
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
            os.open(os.devnull, os.O_RDWR)  # the lowest that is free, which is this one
