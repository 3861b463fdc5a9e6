"""Refreshes of 16 clients, each with its own family, compared with the Flask floor on the same database.

Rotations are measured with a client without a retry window, and counted in the database. The answers of resting
families are measured, too, with a client that has the default window, and the tokens that a client gets for itself.
"""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from authserver.clients.register_client import FIRST_PARTY_CLIENT_ID
from benchmarks.databases import Databases
from benchmarks.driver import Driver, Load, Request
from benchmarks.installation import CLIENTS, Sizes, install, lay_floor
from benchmarks.processes import Server
from benchmarks.table import Line, Target

POSTGRES_TARGET = Target("≥", 0.65)
OWN_TARGET = Target("≥", 0.9)
MEMORY_TARGET = Target("≤", 130, "MB")
MOST_EXCHANGED = 0.05
"""The largest share of rotations among refreshes of resting families: each rotates at the start and once in 70 s."""


@dataclass(frozen=True, slots=True)
class Round:
    """One run of the driver, with the CPU time per request in µs, or None if the system does not tell."""

    load: Load
    server_us: float | None
    database_us: float | None


def measure_refresh(
    driver: Driver, databases: Databases, folder: Path, sizes: Sizes, *, rounds: int, seconds: float
) -> list[Line]:
    """Measure on one kind of database. Our server and the floor take turns, so that noise affects both."""
    folder.mkdir()
    ours = install(folder / "ours", databases.create("ours"), sizes)
    floor = lay_floor(folder / "floor", databases.create("floor"), sizes)
    with ours.serving() as our_server, floor.serving() as floor_server:
        ours.register_users()
        rotating = ours.register_rotating_client()
        sides = (
            (our_server, ours.refresh(rotating)),
            (floor_server, floor.refresh(floor.write_tokens())),
            (our_server, ours.refresh(FIRST_PARTY_CLIENT_ID)),
            (our_server, ours.ask_for_itself()),
        )
        results: tuple[list[Round], ...] = ([], [], [], [])
        for number in range(rounds):
            for side in range(len(sides)) if number % 2 == 0 else reversed(range(len(sides))):
                results[side].append(_run(driver, *sides[side], databases, seconds))
        memory = our_server.worker_memory()
    rotated, floored, rested, own = results
    _check(ours.count_rotations(rotating), rotated, lambda share: share == 1)
    _check(ours.count_rotations(FIRST_PARTY_CLIENT_ID), rested, lambda share: share <= MOST_EXCHANGED)
    return [
        *_write_lines(databases, sizes, rotated, floored),
        *_write_resting(databases, rested),
        *_write_own(databases, own, rotated),
        *_write_memory(databases, memory),
    ]


def _check(rotations: int, rounds: list[Round], is_right: Callable[[float], bool]) -> None:
    """Raise an error if the share of rotations shows that something else was measured than the line says."""
    answered = sum(one.load.answered for one in rounds)
    if not is_right(rotations / answered):
        raise RuntimeError(f"{rotations} rotations in {answered} answers to refreshes")


def _run(driver: Driver, server: Server, request: Request, databases: Databases, seconds: float) -> Round:
    server_before, database_before = server.cpu_seconds(), databases.cpu_seconds()
    load = driver.run(request, clients=CLIENTS, seconds=seconds)
    return Round(
        load,
        _each(server_before, server.cpu_seconds(), load.answered),
        _each(database_before, databases.cpu_seconds(), load.answered),
    )


def _each(before: float | None, after: float | None, requests: int) -> float | None:
    return None if before is None or after is None else (after - before) / requests * 1e6


def _write_lines(databases: Databases, sizes: Sizes, ours: list[Round], floor: list[Round]) -> list[Line]:
    name = f"refresh with rotation, {databases.name}, {CLIENTS} clients, {sizes.workers} x {sizes.threads} threads"
    # The ratio of each pair of runs that follow each other, so that a slow minute of the machine affects both.
    ratio = statistics.median(a.load.rate / b.load.rate for a, b in zip(ours, floor, strict=True))
    target = POSTGRES_TARGET if databases.name.startswith("PostgreSQL") else None
    lines = [Line(name, _write_load(ours), _write_load(floor), ratio, target=target)]
    for side, read in (("server", _server_us), ("database", _database_us)):
        a, b = _median(ours, read), _median(floor, read)
        if a is not None and b is not None:
            lines.append(Line(f"… CPU of the {side} per rotation", f"{a:.0f} µs", f"{b:.0f} µs", a / b))
    return lines


def _write_resting(databases: Databases, rounds: list[Round]) -> list[Line]:
    lines = [Line(f"refresh while the family rests, {databases.name}", _write_load(rounds))]
    for side, read in (("server", _server_us), ("database", _database_us)):
        each = _median(rounds, read)
        if each is not None:
            lines.append(Line(f"… CPU of the {side} per resting answer", f"{each:.0f} µs"))
    return lines


def _write_own(databases: Databases, own: list[Round], rotated: list[Round]) -> list[Line]:
    ratio = statistics.median(a.load.rate / b.load.rate for a, b in zip(own, rotated, strict=True))
    floor = f"refresh with rotation: {_write_load(rotated)}"
    name = f"token of a client itself, {databases.name}"
    lines = [Line(name, _write_load(own), floor, ratio, target=OWN_TARGET)]
    for side, read in (("server", _server_us), ("database", _database_us)):
        each = _median(own, read)
        if each is not None:
            lines.append(Line(f"… CPU of the {side} per token", f"{each:.0f} µs"))
    return lines


def _server_us(one: Round) -> float | None:
    return one.server_us


def _database_us(one: Round) -> float | None:
    return one.database_us


def _median(rounds: Sequence[Round], read: Callable[[Round], float | None]) -> float | None:
    values = [value for one in rounds if (value := read(one)) is not None]
    return statistics.median(values) if values else None


def _write_load(rounds: Sequence[Round]) -> str:
    rate, p50, p99 = (
        statistics.median(getattr(one.load, figure) for one in rounds) for figure in ("rate", "p50_ms", "p99_ms")
    )
    return f"{rate:.0f}/s, p50 {p50:.1f} ms, p99 {p99:.1f} ms"


def _write_memory(databases: Databases, memory: list[tuple[float, float]]) -> list[Line]:
    if not memory:
        return []
    resident, proportional = max(memory)
    name = f"memory of a worker after it, {databases.name}"
    ours = f"{resident:.0f} MB resident, {proportional:.0f} MB its share"
    return [Line(name, ours, value=resident, target=MEMORY_TARGET)]
