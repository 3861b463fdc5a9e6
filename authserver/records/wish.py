"""A wish that waits in the outbox: an anonymous request that names an address."""

from dataclasses import dataclass, field
from typing import Final

from authserver.records.delivery import Delivery
from authserver.records.queued_mail import Parameters

WISH: Final = "wish"
"""The kind of a delivery that is a wish."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A queued wish. `address` is canonical. `parameters` hold no secret; a password hash does not count as one."""

    wish_id: str
    name: str
    address: str = field(repr=False)
    parameters: Parameters = field(repr=False)

    def as_delivery(self) -> Delivery:
        """Return the delivery to queue; `read_wish` is the way back."""
        payload = {"name": self.name, "parameters": dict(self.parameters)}
        return Delivery(self.wish_id, WISH, self.address, payload)


def read_wish(delivery: Delivery) -> Wish:
    """Return the wish that was queued as `delivery`. An unexpected payload raises `KeyError`."""
    return Wish(delivery.delivery_id, delivery.payload["name"], delivery.target, delivery.payload["parameters"])
