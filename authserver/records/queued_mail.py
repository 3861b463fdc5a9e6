"""A mail as it waits in the outbox."""

from collections.abc import Mapping
from dataclasses import dataclass, field

Parameters = Mapping[str, str | int | bool | None]
"""What a template needs besides the link: plain values, no secret."""


@dataclass(frozen=True, slots=True)
class QueuedMail:
    """A mail as it was queued. `link_id` names the link to write into it."""

    mail_id: str
    template: str
    address: str = field(repr=False)
    link_id: bytes | None = field(repr=False)
    parameters: Parameters = field(repr=False)
    attempts: int = 0
