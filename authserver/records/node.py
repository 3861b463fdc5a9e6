"""The report of a server process about itself."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NodeReport:
    """A server process's id, and the fingerprints of its master keys."""

    node_id: str
    master_keys: tuple[str, ...]
