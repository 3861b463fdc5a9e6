"""The time that `authserver serve` takes from its first instruction to its first answer."""

import statistics
import time
from pathlib import Path

from benchmarks.databases import Databases
from benchmarks.installation import Sizes, install
from benchmarks.table import Line, Target

TARGET = Target("≤", 2, "s")


def measure_start(databases: Databases, folder: Path, sizes: Sizes, *, times: int) -> list[Line]:
    """Measure the median of `times` starts."""
    ours = install(folder, databases.create("start"), sizes)
    seconds = []
    for _ in range(times):
        began = time.monotonic()
        with ours.serving():
            seconds.append(time.monotonic() - began)
    median = statistics.median(seconds)
    name = f"start of `authserver serve`, {databases.name}, {sizes.workers} workers"
    return [Line(name, f"{median:.2f} s (longest {max(seconds):.2f} s)", value=median, target=TARGET)]
