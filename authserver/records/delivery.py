"""A delivery that waits in the outbox: a mail, or something else that must reach somebody outside at least once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, IntEnum, auto
from typing import Any, TypeAlias

Payload: TypeAlias = Mapping[str, Any]
"""JSON values from which each attempt derives what it hands over. They hold no secret, no link and no token."""


class Rank(IntEnum):
    """The order of deliveries; the lower rank goes first."""

    URGENT = 0
    ROUTINE = 1


class Share(Enum):
    """Which due deliveries a worker takes.

    Where targets fail one by one, each repeated attempt may take long. With workers of their own for first attempts,
    many failing targets delay no other.
    """

    ALL = auto()
    FIRST_ATTEMPTS = auto()
    REPEATED = auto()


@dataclass(frozen=True, slots=True)
class Delivery:
    """A queued delivery.

    Attributes:
        delivery_id: the same in all attempts, so that a recipient of two copies can recognise them.
        kind: the name of its kind (`authserver/deliveries/kind.py`).
        target: the recipient, in the form that the kind uses; an address for mails.
        payload: see `Payload`.
        attempts: the number of attempts that have begun.
    """

    delivery_id: str
    kind: str
    target: str = field(repr=False)
    payload: Payload = field(repr=False)
    attempts: int = 0
