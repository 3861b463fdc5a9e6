"""A delivery as it waits in the outbox: what must reach somebody outside, at least once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, TypeAlias

Payload: TypeAlias = Mapping[str, Any]
"""JSON from which the kind can make what it hands over, as often as it takes. No secret, no link, no token."""


class Rank(IntEnum):
    """Which deliveries go first: the lower."""

    URGENT = 0
    ROUTINE = 1


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery as it was queued.

    Attributes:
        delivery_id: the same in all attempts, so that who receives two copies can tell.
        kind: who knows what to do with it (`authserver/deliveries/kind.py`).
        target: who shall get it, in the words of the kind: for mails an address.
        payload: see `Payload`.
        attempts: how many have begun.
    """

    delivery_id: str
    kind: str
    target: str = field(repr=False)
    payload: Payload = field(repr=False)
    attempts: int = 0
