"""Handing a message over: what every way of delivery promises."""

from dataclasses import dataclass
from email.message import EmailMessage
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Delivered:
    """Somebody else answers for the message now."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The way out does not work now, for no message. `reason` is for the log: no address and no text of the message."""

    reason: str


@dataclass(frozen=True, slots=True)
class Deferred:
    """It does not work now for this recipient or message; others may. `reason` as in `Failed`.

    `stalled` says that it took long to find out, which it may for others at the recipient's domain, too.
    """

    reason: str
    stalled: bool = False


@dataclass(frozen=True, slots=True)
class Undeliverable:
    """It will never work for this recipient. `reason` as in `Failed`."""

    reason: str


class Delivery(Protocol):
    """A way out. Called with no transaction open, because it may take long."""

    def deliver(self, message: EmailMessage, address: str) -> Delivered | Deferred | Failed | Undeliverable:
        """Hand `message` over, to be delivered to `address`."""
