"""The page with the results."""

from collections.abc import Iterable
from typing import Final

from tests.conformance.results import Result

_HEAD: Final = """# Results of the OpenID Foundation's conformance suite

Written by `make conformance` on {date}; [how to run it](../conformance.md). The suite is {release}.
The results are in its words; the reasons are ours.

| plan | module | result | reason, if not `PASSED` |
|---|---|---|---|
"""


def write_table(results: Iterable[Result], release: str, date: str) -> str:
    """Write the page."""
    rows = (f"| {one.plan} | `{one.module}` | `{one.result}` | {' '.join(one.reasons)} |\n" for one in results)
    return _HEAD.format(release=release, date=date) + "".join(rows)
