"""What hangs in the gallery."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Picture:
    """One page in one state. Values that need a request are functions."""

    name: str
    template: str
    values: Mapping[str, Any] = field(default_factory=dict)
