"""A request for a mail that waits in the outbox: an anonymous request that names an address."""

from dataclasses import dataclass, field
from typing import Final

from authserver.records.delivery import Delivery
from authserver.records.queued_mail import Parameters

MAIL_REQUEST: Final = "mail_request"
"""The kind of a delivery that is a request for a mail."""


@dataclass(frozen=True, slots=True)
class MailRequest:
    """A queued request. `address` is canonical. `parameters` hold no secret; a password hash does not count as one."""

    request_id: str
    name: str
    address: str = field(repr=False)
    parameters: Parameters = field(repr=False)

    def as_delivery(self) -> Delivery:
        """Return the delivery to queue; `read_mail_request` is the way back."""
        payload = {"name": self.name, "parameters": dict(self.parameters)}
        return Delivery(self.request_id, MAIL_REQUEST, self.address, payload)


def read_mail_request(delivery: Delivery) -> MailRequest:
    """Return the request that was queued as `delivery`. An unexpected payload raises `KeyError`."""
    return MailRequest(delivery.delivery_id, delivery.payload["name"], delivery.target, delivery.payload["parameters"])
