"""A kind of delivery: what must reach somebody, and how one attempt at it goes."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import ClassVar, Final, Protocol

from authserver.deliveries.outcome import Outcome
from authserver.protocol.audit_name import AuditName
from authserver.records.delivery import Delivery
from authserver.storage import Transaction

_MINUTE, _HOUR = timedelta(minutes=1), timedelta(hours=1)
PAUSES: Final = (_MINUTE, 5 * _MINUTE, 15 * _MINUTE, _HOUR, 2 * _HOUR, 4 * _HOUR, 8 * _HOUR, 8 * _HOUR)
"""About a day, for whom that is long enough."""


class Kind(Protocol):
    """One kind. Made when a server starts, with all that its attempts need.

    Attributes:
        name: of the kind, in the table of deliveries.
        word: begins the names of its log lines, such as `mail_put_off`.
        given_up: the record of a delivery that was never made.
        pauses: between one attempt and the next; after the last one a delivery is given up. None is longer than
            `LONGEST_WAIT`.
    """

    name: ClassVar[str]
    word: ClassVar[str]
    given_up: ClassVar[AuditName]
    pauses: ClassVar[Sequence[timedelta]]

    def attempt(self, delivery: Delivery) -> Outcome:
        """Make the delivery. Called with no transaction open, because it may take long; may be called again.

        What is handed over is the same each time, or says that it is a copy. Nothing that this raises is logged but
        the name of the exception; the delivery is put off then.
        """
        ...

    def describe(self, delivery: Delivery) -> Mapping[str, str]:
        """What names the delivery in log and audit record: no target, and nothing that somebody typed."""
        ...

    def find_user(self, tx: Transaction, delivery: Delivery) -> str | None:
        """The id of the user whom it is about, for the audit record, if that is known."""
        ...
