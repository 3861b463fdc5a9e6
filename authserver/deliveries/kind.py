"""The interface that every kind of delivery implements."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import ClassVar, Final, Protocol

from authserver.credentials.events.base import Subject
from authserver.deliveries.outcome import Outcome
from authserver.protocol.audit_name import AuditName
from authserver.records.delivery import Delivery
from authserver.storage import Transaction

_MINUTE, _HOUR = timedelta(minutes=1), timedelta(hours=1)
PAUSES: Final = (_MINUTE, 5 * _MINUTE, 15 * _MINUTE, _HOUR, 2 * _HOUR, 4 * _HOUR, 8 * _HOUR, 8 * _HOUR)
"""Pauses between attempts over about a day."""


class Kind(Protocol):
    """A kind of delivery. An instance holds everything that attempts need.

    Attributes:
        name: the kind's name in the table `deliveries`.
        word: the first word of its log events, such as `mail` in `mail_put_off`.
        given_up: the audit name for a delivery that is given up.
        pauses: the pauses between attempts. Each is shorter than `LONGEST_WAIT`.
        is_persistent: whether the last pause repeats. If not, the delivery is given up when an attempt after the last
            pause fails. A persistent kind itself says when a delivery has become useless.
        is_ordered: whether deliveries to one target are made one after the other, in the order in which they were
            queued. While one is in flight or waits for its next attempt, the later ones wait, too.
    """

    name: ClassVar[str]
    word: ClassVar[str]
    given_up: ClassVar[AuditName]
    pauses: ClassVar[Sequence[timedelta]]
    is_persistent: ClassVar[bool]
    is_ordered: ClassVar[bool]

    def attempt(self, delivery: Delivery) -> Outcome:
        """Try to make the delivery. Call it without an open transaction, because it may take long.

        It may be called again after a success that was not recorded, so copies must be recognisable. If it raises, the
        delivery is put off, and only the name of the exception is logged.
        """
        ...

    def describe(self, delivery: Delivery) -> Mapping[str, str]:
        """Return what names the delivery in log and audit record: no target, and nothing that a person typed."""
        ...

    def find_subject(self, tx: Transaction, delivery: Delivery) -> Subject:
        """Find whom and what the delivery is about, for the audit record."""
        ...
