"""A mail that waits in the outbox."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from authserver.protocol import base64url
from authserver.records.delivery import Delivery

MAIL: Final = "mail"
"""The kind of a delivery that is a mail."""

Parameters = Mapping[str, str | int | bool | None]
"""The values that a template needs besides the link: plain values, never a secret."""


@dataclass(frozen=True, slots=True)
class QueuedMail:
    """A queued mail. `link_id` names the link to write into it."""

    mail_id: str
    template: str
    address: str = field(repr=False)
    link_id: bytes | None = field(repr=False)
    parameters: Parameters = field(repr=False)

    def as_delivery(self) -> Delivery:
        """Return the delivery to queue; `read_mail` is the way back."""
        payload = {
            "template": self.template,
            "link_id": None if self.link_id is None else base64url.encode(self.link_id),
            "parameters": dict(self.parameters),
        }
        return Delivery(self.mail_id, MAIL, self.address, payload)


def read_mail(delivery: Delivery) -> QueuedMail:
    """Return the mail that was queued as `delivery`. An unexpected payload raises `KeyError` or `ValueError`."""
    link_id: str | None = delivery.payload["link_id"]
    return QueuedMail(
        mail_id=delivery.delivery_id,
        template=delivery.payload["template"],
        address=delivery.target,
        link_id=None if link_id is None else base64url.decode(link_id),
        parameters=delivery.payload["parameters"],
    )
