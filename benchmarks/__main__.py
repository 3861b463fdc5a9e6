"""`make bench`: runs all benchmarks in about fifteen minutes, and prints one table."""

import argparse
import platform
import shutil
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from authserver.config import Settings
from benchmarks.databases import Databases, postgres_databases, sqlite_databases
from benchmarks.dpop import measure_dpop
from benchmarks.driver import Driver, NoCompilerError
from benchmarks.flood import measure_flood
from benchmarks.installation import Sizes, count_cores
from benchmarks.polls import measure_polls
from benchmarks.propagation import measure_propagation
from benchmarks.refresh import measure_refresh
from benchmarks.sign_in import measure_sign_in
from benchmarks.start import measure_start
from benchmarks.table import Line, write_table
from benchmarks.verification import measure_verification

PARTS = ("refresh", "dpop", "sign-in", "flood", "verify", "start", "polls", "propagation")


def main() -> int:
    """Run the chosen benchmarks and print the table. Return 1 if this machine cannot run them."""
    arguments = _read_arguments()
    folder = Path(tempfile.mkdtemp(prefix="authserver-bench-"))
    try:
        lines = _measure(arguments, folder)
    except NoCompilerError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    finally:
        shutil.rmtree(folder)
    print(f"\n{platform.machine()}, {count_cores()} cores, Python {platform.python_version()}\n\n{write_table(lines)}")
    return 0


def _read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench ARGS=…", description="Measure authserver against its floors.")
    parser.add_argument("parts", nargs="*", metavar="part", help=f"of {', '.join(PARTS)}; all when none is named")
    parser.add_argument("--rounds", type=int, default=5, help="how often ours and the floor take turns")
    parser.add_argument("--seconds", type=float, default=2.5, help="how long one of them is driven")
    parser.add_argument("--changes", type=int, default=200, help="how many passwords are changed for propagation")
    parser.add_argument("--workers", type=int, help="processes on PostgreSQL (default: one per core)")
    parser.add_argument("--threads", type=int, help="request threads of a process (default: as the setting THREADS)")
    arguments = parser.parse_args()
    unknown = set(arguments.parts) - set(PARTS)
    if unknown:
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    return arguments


def _measure(arguments: argparse.Namespace, folder: Path) -> list[Line]:
    parts = arguments.parts or PARTS
    lines: list[Line] = []
    if "verify" in parts:
        _tell("verify")
        lines += measure_verification(slices=arguments.rounds * 6)
    if parts != ["verify"]:
        driver = Driver(folder)
        with ExitStack() as stack:
            postgres = stack.enter_context(postgres_databases())
            threads = arguments.threads or Settings.model_fields["threads"].default
            workers = arguments.workers or count_cores()
            for databases, sizes in (
                (postgres, Sizes(workers, threads)),
                (sqlite_databases(folder), Sizes(1, threads)),
            ):
                lines += _measure_server(parts, arguments, driver, databases, folder / databases.name, sizes)
    return lines


def _measure_server(
    parts: Sequence[str],
    arguments: argparse.Namespace,
    driver: Driver,
    databases: Databases,
    folder: Path,
    sizes: Sizes,
) -> list[Line]:
    folder.mkdir()
    rounds, seconds = arguments.rounds, arguments.seconds
    lines: list[Line] = []
    if "refresh" in parts:
        _tell(f"refresh on {databases.name}")
        lines += measure_refresh(driver, databases, folder / "refresh", sizes, rounds=rounds, seconds=seconds)
    if "dpop" in parts:
        _tell(f"dpop on {databases.name}")
        lines += measure_dpop(databases, folder / "dpop", sizes, rounds=rounds)
    if "sign-in" in parts:
        _tell(f"sign-in on {databases.name}")
        lines += measure_sign_in(driver, databases, folder / "sign-in", sizes.threads, rounds=rounds, seconds=seconds)
    if "flood" in parts:
        _tell(f"flood on {databases.name}")
        lines += measure_flood(driver, databases, folder / "flood", sizes.threads, rounds=rounds, seconds=seconds)
    if "polls" in parts:
        _tell(f"polls on {databases.name}")
        lines += measure_polls(driver, databases, folder / "polls", sizes, rounds=rounds, seconds=seconds)
    if "propagation" in parts:
        _tell(f"propagation on {databases.name}")
        lines += measure_propagation(driver, databases, folder / "propagation", sizes, changes=arguments.changes)
    if "start" in parts:
        _tell(f"start on {databases.name}")
        lines += measure_start(databases, folder / "start", sizes, times=rounds)
    return lines


def _tell(what: str) -> None:
    sys.stderr.write(f"measuring {what} …\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
