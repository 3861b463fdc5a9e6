"""Results of test modules, in the suite's words, and our reason for each that is not `PASSED`."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from tests.conformance.reasons import REASONS

PASSED: Final = "PASSED"
_FAILURES: Final = {"FAILED", "INTERRUPTED"}
_OF_INTEREST: Final = {"WARNING", "FAILURE", "REVIEW"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One condition of a module that did not simply hold: the suite's name for it, its result and its message."""

    condition: str
    result: str
    message: str


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one module.

    Attributes:
        result: in the suite's words; `INTERRUPTED` if the suite gave none.
        shown: the headings of the pages of which the suite got a screenshot.
    """

    plan: str
    module: str
    result: str
    findings: tuple[Finding, ...]
    shown: tuple[str, ...] = ()

    @property
    def has_failed(self) -> bool:
        """Whether the suite found a violation, or could not run to the end."""
        return self.result in _FAILURES

    @property
    def reasons(self) -> list[str]:
        """Our sentences about what is not `PASSED`."""
        if self.result == PASSED:
            return []
        pictures = [f"Screenshot of “{heading}”." for heading in self.shown]
        return pictures + list(dict.fromkeys(REASONS[name] for name in self._subjects if name in REASONS))

    @property
    def unexplained(self) -> list[str]:
        """What is not `PASSED` and has no reason in `REASONS`."""
        if self.result == PASSED:
            return []
        return [name for name in dict.fromkeys(self._subjects) if name not in REASONS]

    @property
    def _subjects(self) -> list[str]:
        """The names under which reasons are looked up: the conditions, or the module if the suite names none."""
        return [finding.condition for finding in self.findings] or [self.module]


def find_findings(log: Iterable[dict[str, Any]]) -> Iterator[Finding]:
    """Find in a module's log what did not simply hold."""
    for entry in log:
        if entry.get("result") in _OF_INTEREST:
            yield Finding(entry["src"], entry["result"], entry.get("msg", ""))
