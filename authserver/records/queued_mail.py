"""A mail that waits in the outbox."""

from collections.abc import Mapping
from dataclasses import dataclass, field

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
    attempts: int = 0
