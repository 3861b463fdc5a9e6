"""The interface that every way of delivery implements, and its results."""

from dataclasses import dataclass
from email.message import EmailMessage
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Delivered:
    """The message was handed over; another system is responsible for it now."""


@dataclass(frozen=True, slots=True)
class Failed:
    """Delivery works for no message now. `reason` is for the log: no address, and no text of the message."""

    reason: str


@dataclass(frozen=True, slots=True)
class Deferred:
    """Delivery does not work now for this recipient or message; others may work. `reason` as in `Failed`.

    `stalled` says that the attempt took long, as may attempts for others at the recipient's domain.
    """

    reason: str
    stalled: bool = False


@dataclass(frozen=True, slots=True)
class Undeliverable:
    """Delivery will never work for this recipient. `reason` as in `Failed`."""

    reason: str


class Delivery(Protocol):
    """A way of delivery. Call it without an open transaction, because it may take long."""

    def deliver(self, message: EmailMessage, address: str) -> Delivered | Deferred | Failed | Undeliverable:
        """Hand `message` over, to be delivered to `address`."""
