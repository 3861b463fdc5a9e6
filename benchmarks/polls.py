"""Polls of the revocation feed by resource servers that are up to date: authenticated, and answered with 304."""

import base64
import json
import statistics
import urllib.request
from http import HTTPStatus
from pathlib import Path

from authserver.clients.register_client import FIRST_PARTY_CLIENT_ID
from benchmarks.databases import Databases
from benchmarks.driver import Driver, Request
from benchmarks.installation import Installation, Reader, Sizes, install
from benchmarks.table import Line, Target

TARGET = Target("≥", 1000, "/s")
_POLLERS = 64


def measure_polls(
    driver: Driver, databases: Databases, folder: Path, sizes: Sizes, *, rounds: int, seconds: float
) -> list[Line]:
    """Measure how many polls per second are answered, and the cost of one.

    500 resource servers with default settings make 1,000 polls per second. Each poller here polls again as soon as it
    is answered, so the result is the maximum of the server, and no normal load.
    """
    ours = install(folder, databases.create("polls"), sizes)
    reader = ours.register_reader()
    with ours.serving() as server:
        ours.register_users()
        ours.refresh(FIRST_PARTY_CLIENT_ID)  # signs everybody in, so that the installation is one in use
        poll = _prepare_poll(ours, reader)
        loads, costs = [], []
        for _ in range(rounds):
            before = server.cpu_seconds()
            load = driver.run(poll, clients=_POLLERS, seconds=seconds)
            after = server.cpu_seconds()
            loads.append(load)
            if before is not None and after is not None:
                costs.append((after - before) / load.answered * 1e6)
    rate, p50, p99 = (statistics.median(getattr(load, name) for load in loads) for name in ("rate", "p50_ms", "p99_ms"))
    name = f"polls of the feed, {databases.name}, {_POLLERS} pollers, {sizes.workers} x {sizes.threads} threads"
    lines = [Line(name, f"{rate:.0f}/s, p50 {p50:.1f} ms, p99 {p99:.1f} ms", value=rate, target=TARGET)]
    if costs:
        lines.append(Line("… CPU of the server per poll", f"{statistics.median(costs):.0f} µs"))
    return lines


def _prepare_poll(ours: Installation, reader: Reader) -> Request:
    """Make the request of a follower that has read the feed to its end."""
    pair = f"{reader.client_id}:{reader.client_secret}".encode()
    headers = {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
    url = f"{ours.url}/oauth/revocations"
    cursor = json.loads(_get(url, headers)[0])["cursor"]
    url = f"{url}?cursor={cursor}"
    _, etag = _get(url, headers)
    return Request(url, body=None, headers={**headers, "If-None-Match": etag}, expected_status=HTTPStatus.NOT_MODIFIED)


def _get(url: str, headers: dict[str, str]) -> tuple[bytes, str]:
    """Get the body and the entity tag of `url`."""
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as response:  # noqa: S310 - loopback
        return response.read(), response.headers["ETag"]
