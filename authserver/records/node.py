"""What a server process reports about itself."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NodeReport:
    """What a server process says of itself: its id, and the fingerprints of its master keys."""

    node_id: str
    master_keys: tuple[str, ...]
