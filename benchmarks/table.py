"""The Markdown table of results. Each line has a figure, its floor, their ratio and the target."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

_HEAD = ("measured", "authserver", "floor", "ratio", "target", "")


@dataclass(frozen=True, slots=True)
class Target:
    """A target: a value should be `sense` (≤ or ≥) `bound`."""

    sense: Literal["≥", "≤"]
    bound: float
    unit: str = "x"

    def is_met(self, value: float) -> bool:
        """Whether `value` meets the target."""
        return value >= self.bound if self.sense == "≥" else value <= self.bound

    def __str__(self) -> str:
        return f"{self.sense} {self.bound:g} {self.unit}"


@dataclass(frozen=True, slots=True)
class Line:
    """A line. `ratio` is our figure divided by the floor's. Without a floor, `value` is compared with the target."""

    name: str
    ours: str
    floor: str = ""
    ratio: float | None = None
    value: float | None = None
    target: Target | None = None

    @property
    def verdict(self) -> str:
        """`pass` or `FAIL`; empty without a target."""
        measured = self.ratio if self.ratio is not None else self.value
        if self.target is None or measured is None:
            return ""
        return "pass" if self.target.is_met(measured) else "FAIL"


def write_table(lines: Sequence[Line]) -> str:
    """Write `lines` as a Markdown table."""
    rows = [
        (
            line.name,
            line.ours,
            line.floor,
            "" if line.ratio is None else f"{line.ratio:.2f} x",
            "" if line.target is None else str(line.target),
            line.verdict,
        )
        for line in lines
    ]
    return "\n".join("| " + " | ".join(row) + " |" for row in (_HEAD, ("---",) * len(_HEAD), *rows))
