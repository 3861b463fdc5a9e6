"""Handing a message over: what every way of delivery promises."""

from dataclasses import dataclass
from email.message import EmailMessage
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Delivered:
    """Somebody else answers for the message now."""


@dataclass(frozen=True, slots=True)
class Failed:
    """It may work another time. `reason` is for the log: neither address nor anything of the message is in it."""

    reason: str


@dataclass(frozen=True, slots=True)
class Undeliverable:
    """It will never work for this recipient. `reason` as in `Failed`."""

    reason: str


class Delivery(Protocol):
    """A way out. Called with no transaction open, because it may take long."""

    def deliver(self, message: EmailMessage, address: str) -> Delivered | Failed | Undeliverable:
        """Hand `message` over, to be delivered to `address`."""
