"""Refreshes during a flood of sign-ins, to measure how password hashing slows signed-in users."""

import http.client
import json
import statistics
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from authserver.credentials.hashing_pool import Places
from benchmarks.databases import Databases
from benchmarks.driver import Driver, Load
from benchmarks.installation import Sizes, install
from benchmarks.table import Line

_CLIENTS = 4
_MORE = 4
"""The number of strangers beyond those whom the server admits at once, so that some are always turned away."""


def measure_flood(
    driver: Driver, databases: Databases, folder: Path, threads: int, *, rounds: int, seconds: float
) -> list[Line]:
    """Measure the p99 of refreshes of four clients during the flood, as a ratio to that without the flood."""
    ours = install(folder, databases.create("flood"), Sizes(workers=1, threads=threads))
    strangers = Places.among(threads).admitted + _MORE
    alone: list[Load] = []
    beside: list[Load] = []
    with ours.serving():
        ours.register_users()
        refresh = ours.refresh(ours.register_rotating_client())
        for _ in range(rounds):
            alone.append(driver.run(refresh, clients=_CLIENTS, seconds=seconds))
            with _flood(ours.url, strangers):
                beside.append(driver.run(refresh, clients=_CLIENTS, seconds=seconds))
    ratio = statistics.median(flooded.p99_ms / quiet.p99_ms for flooded, quiet in zip(beside, alone, strict=True))
    name = f"p99 of refreshes beside {strangers} strangers who sign in, {databases.name}, {_CLIENTS} clients, 1 worker"
    return [Line(name, _describe(beside), f"without them: {_describe(alone)}", ratio)]


def _describe(loads: list[Load]) -> str:
    return f"{statistics.median(load.p99_ms for load in loads):.1f} ms"


@contextmanager
def _flood(url: str, strangers: int) -> Iterator[None]:
    over = threading.Event()
    threads = [threading.Thread(target=_try_on, args=(url, number, over)) for number in range(strangers)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


def _try_on(url: str, number: int, over: threading.Event) -> None:
    connection = http.client.HTTPConnection(urlsplit(url).netloc)
    body = json.dumps({"email": f"nobody-{number}@example.test", "password": "not this one"})
    while not over.is_set():
        connection.request("POST", "/api/login", body, {"Content-Type": "application/json"})
        connection.getresponse().read()
        over.wait(0.02)  # a pause, so that immediate refusals do not keep this process busy
    connection.close()
