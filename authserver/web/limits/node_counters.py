"""Counters for rate limits in a file that all worker processes of a node share, bounded in size and in waiting.

If each process counted by itself, a limit of ten would be ten for each worker. The file is a table of buckets with a
few slots each. To use a counter, a process locks the file, reads one bucket and writes one slot. The system releases
the lock when a process dies. If a process is frozen while it holds the lock, the others wait for a quarter of a second
at most. Nothing is synced: after a crash of the machine some counts are too low. The file is always readable, because
any bytes are a valid table.

A keyed digest chooses the bucket, and the key never leaves the file. So an attacker cannot choose accounts that fall
into the bucket of a victim. A full bucket drops the counter with the lowest count, so that a flood of made-up accounts
does not displace the counter of an account under attack.
"""

import fcntl
import hashlib
import os
import struct
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, final

from limits.errors import StorageError
from limits.storage import Storage
from typing_extensions import override

from authserver.clock import Clock
from authserver.protocol.entropy import Entropy
from authserver.web.limits.counters import FRESH, Counter

FILE_NAME: Final = "limits-1"
"""The name of the file. A new layout needs a new name, because two releases run side by side during an update."""

BUCKETS: Final = 1 << 14
SLOTS: Final = 8
_SLOT: Final = struct.Struct("=16sdq")
_BUCKET: Final = struct.Struct("=" + _SLOT.format[1:] * SLOTS)
_HEADER: Final = struct.Struct("=16s32s")
_MAGIC: Final = b"authserver limit"
_LOCK_TRIES: Final = 250
_LOCK_PAUSE_SECONDS: Final = 0.001

_Slot = tuple[bytes, Counter]


class UnusableCountersError(Exception):
    """The configured storage cannot count tries. The message is one line that names the file or the setting."""


@final
class NodeCounters(Storage):
    """At most 131,072 counters (4 MiB), shared by all threads and processes that name the same file."""

    STORAGE_SCHEME = None

    def __init__(self, file: Path, clock: Clock, entropy: Entropy) -> None:
        """Count by `clock` in `file`. The first try creates it, and each process opens it for itself."""
        super().__init__(wrap_exceptions=True)
        self._file = file
        self._clock = clock
        self._entropy = entropy
        self._table: _Table | None = None

    @property
    @override
    def base_exceptions(self) -> type[Exception]:
        return OSError

    @override
    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        now = self._clock.seconds()
        with self._open().lock(key) as bucket:
            former = bucket.find(now)
            if former is FRESH and amount < 0:
                return 0
            counter = former.add(amount, now, expiry)
            bucket.write(counter, now)
        return counter.count

    @override
    def get(self, key: str) -> int:
        with self._open().lock(key) as bucket:
            return bucket.find(self._clock.seconds()).count

    @override
    def get_expiry(self, key: str) -> float:
        with self._open().lock(key) as bucket:
            return bucket.find(self._clock.seconds()).ends_at

    @override
    def check(self) -> bool:
        self.get("")
        return True

    def try_out(self) -> None:
        """Raise an `UnusableCountersError` if the file cannot be used."""
        try:
            self.check()
        except StorageError as error:
            reason = getattr(error.storage_error, "strerror", None) or type(error.storage_error).__name__
            raise UnusableCountersError(
                f"the workers cannot count sign-ins together in {self._file}: {reason}"
            ) from None

    @override
    def reset(self) -> None:
        self._open().forget_all()

    @override
    def clear(self, key: str) -> None:
        now = self._clock.seconds()
        with self._open().lock(key) as bucket:
            if bucket.find(now) is not FRESH:
                bucket.write(FRESH, now)

    def _open(self) -> "_Table":
        # Two processes would share one lock on a file that was opened before the fork.
        if self._table is None or self._table.pid != os.getpid():
            self._table = _Table(self._file, self._entropy)
        return self._table


@final
class _Table:
    """The file, opened by one process."""

    def __init__(self, file: Path, entropy: Entropy) -> None:
        self.pid = os.getpid()
        self._threads = threading.Lock()
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        weakref.finalize(self, os.close, self._file)
        with self._locked():
            magic, self._secret = _HEADER.unpack(os.pread(self._file, _HEADER.size, 0).ljust(_HEADER.size, b"\0"))
            if magic != _MAGIC:
                self._secret = entropy(32)
                os.pwrite(self._file, _HEADER.pack(_MAGIC, self._secret), 0)

    @contextmanager
    def lock(self, key: str) -> Iterator["_Bucket"]:
        """Lock the file until the block ends, and read the bucket of `key`."""
        digest = hashlib.blake2b(key.encode(), key=self._secret, digest_size=20).digest()
        number = int.from_bytes(digest[16:]) % BUCKETS
        with self._locked():
            yield _Bucket(self._file, _HEADER.size + number * _BUCKET.size, digest[:16])

    def forget_all(self) -> None:
        with self._locked():
            os.ftruncate(self._file, _HEADER.size)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        if not self._threads.acquire(timeout=_LOCK_TRIES * _LOCK_PAUSE_SECONDS):
            raise TimeoutError
        try:
            self._wait_for_other_processes()
            try:
                yield
            finally:
                fcntl.flock(self._file, fcntl.LOCK_UN)
        finally:
            self._threads.release()

    def _wait_for_other_processes(self) -> None:
        for _ in range(_LOCK_TRIES):
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(_LOCK_PAUSE_SECONDS)
            else:
                return
        raise TimeoutError


@final
class _Bucket:
    """The slots in which one counter can be. Valid while the file is locked."""

    def __init__(self, file: int, place: int, name: bytes) -> None:
        self._file = file
        self._place = place
        self._name = name
        fields = _BUCKET.unpack(os.pread(file, _BUCKET.size, place).ljust(_BUCKET.size, b"\0"))
        self._slots = [(fields[at], Counter(fields[at + 2], fields[at + 1])) for at in range(0, len(fields), 3)]

    def find(self, now: float) -> Counter:
        """Find the live counter of this bucket's key, or return `FRESH`."""
        return next((counter for name, counter in self._slots if name == self._name and counter.is_live(now)), FRESH)

    def write(self, counter: Counter, now: float) -> None:
        """Write `counter` to its own slot, else to one whose counter is over, else to that of the lowest count."""
        at = min(range(SLOTS), key=lambda at: self._rank(self._slots[at], now))
        os.pwrite(self._file, _SLOT.pack(self._name, counter.ends_at, counter.count), self._place + at * _SLOT.size)

    def _rank(self, slot: _Slot, now: float) -> tuple[bool, bool, int, float]:
        name, counter = slot
        return name != self._name, counter.is_live(now), counter.count, counter.ends_at
