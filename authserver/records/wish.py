"""A wish as it waits in the outbox: what a stranger asks for by naming an address."""

from dataclasses import dataclass, field
from typing import Final

from authserver.records.delivery import Delivery
from authserver.records.queued_mail import Parameters

WISH: Final = "wish"
"""The kind."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A wish as it was queued. `address` is canonical; `parameters` hold no secret (a password hash is none)."""

    wish_id: str
    name: str
    address: str = field(repr=False)
    parameters: Parameters = field(repr=False)

    def as_delivery(self) -> Delivery:
        """What is queued; `read_wish` reads it."""
        payload = {"name": self.name, "parameters": dict(self.parameters)}
        return Delivery(self.wish_id, WISH, self.address, payload)


def read_wish(delivery: Delivery) -> Wish:
    """The wish that was queued as `delivery`. A payload of another shape is a broken world."""
    return Wish(delivery.delivery_id, delivery.payload["name"], delivery.target, delivery.payload["parameters"])
