"""What is printed: one Markdown table, each line a figure, the floor beside it, and what their ratio should be."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

_HEAD = ("measured", "authserver", "floor", "ratio", "target", "")


@dataclass(frozen=True, slots=True)
class Target:
    """What a value should be: `sense` of `bound`."""

    sense: Literal["≥", "≤"]
    bound: float
    unit: str = "x"

    def is_met(self, value: float) -> bool:
        """Whether `value` is on the right side."""
        return value >= self.bound if self.sense == "≥" else value <= self.bound

    def __str__(self) -> str:
        return f"{self.sense} {self.bound:g} {self.unit}"


@dataclass(frozen=True, slots=True)
class Line:
    """One line. `ratio` is ours by the floor's; a line without a floor is held to its target by `value`."""

    name: str
    ours: str
    floor: str = ""
    ratio: float | None = None
    value: float | None = None
    target: Target | None = None

    @property
    def verdict(self) -> str:
        """`pass` or `FAIL`, or nothing where there is no target."""
        measured = self.ratio if self.ratio is not None else self.value
        if self.target is None or measured is None:
            return ""
        return "pass" if self.target.is_met(measured) else "FAIL"


def write_table(lines: Sequence[Line]) -> str:
    """The Markdown table of `lines`."""
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
