"""Sign-ins with a password, three at a time, compared with the password hashes alone."""

import statistics
import threading
import time
from collections.abc import Callable
from pathlib import Path

from authserver.credentials.hashing_pool import HashingPool, Places
from authserver.credentials.passwords import PasswordHasher
from authserver.protocol.secret import Secret
from benchmarks.databases import Databases
from benchmarks.driver import Driver
from benchmarks.installation import PASSWORD, Sizes, install
from benchmarks.table import Line, Target

TARGET = Target("≤", 1.1)
_CLIENTS = 3


def measure_sign_in(
    driver: Driver, databases: Databases, folder: Path, threads: int, *, rounds: int, seconds: float
) -> list[Line]:
    """Measure the time of a sign-in, as a ratio to a hash by an equal hashing pool in this process."""
    # One worker, because the system spreads connections unevenly over several, and one with too many would refuse some.
    ours = install(folder, databases.create("sign_in"), Sizes(workers=1, threads=threads))
    hasher, password = PasswordHasher(), Secret(PASSWORD)
    stored = hasher.hash(password)
    sign_ins, hashes = [], []
    with ours.serving():
        ours.register_users()
        for _ in range(rounds):
            sign_ins.append(driver.run(ours.sign_in(), clients=_CLIENTS, seconds=seconds))
            hashes.append(_hash_rate(lambda: hasher.verify(password, stored), seconds))
    ratio = statistics.median(rate / load.rate for load, rate in zip(sign_ins, hashes, strict=True))
    load_rate, p50 = (statistics.median(getattr(load, figure) for load in sign_ins) for figure in ("rate", "p50_ms"))
    return [
        Line(
            f"sign-in, {databases.name}, {_CLIENTS} clients, 1 worker",
            f"{load_rate:.1f}/s, p50 {p50:.0f} ms",
            f"one hash: {statistics.median(hashes):.1f}/s",
            ratio,
            target=TARGET,
        )
    ]


def _hash_rate(work: Callable[[], object], seconds: float) -> float:
    """Measure how often per second `work` is done by as many callers as there are clients."""
    pool, done, ends_at = HashingPool(Places(_CLIENTS, 0)), [], time.monotonic() + seconds

    def call() -> None:
        while time.monotonic() < ends_at:
            pool.run(work)
            done.append(time.monotonic())

    callers = [threading.Thread(target=call) for _ in range(_CLIENTS)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    return len(done) / seconds
