"""What one OAuth endpoint is: the name that metadata gives it, its path, its view."""

from collections.abc import Callable
from dataclasses import dataclass

from flask import Response


@dataclass(frozen=True, slots=True)
class Door:
    """One endpoint. `metadata_name` is its member in the discovery documents (RFC 8414 §2)."""

    metadata_name: str
    path: str
    method: str
    view: Callable[[], Response]
