"""The results of an attempt at a delivery."""

from dataclasses import dataclass
from typing import TypeAlias

from authserver.records.delivery import Payload


@dataclass(frozen=True, slots=True)
class Delivered:
    """It was handed over; another system is responsible for it now."""


@dataclass(frozen=True, slots=True)
class Settled:
    """The kind has processed it, and has removed it from the outbox in the same transaction."""


@dataclass(frozen=True, slots=True)
class Needless:
    """It is useless by now: a mail whose link no longer works."""


@dataclass(frozen=True, slots=True)
class Failed:
    """No delivery of this kind works now. `reason` is for the log: no target, and no text of the delivery."""

    reason: str


@dataclass(frozen=True, slots=True)
class Deferred:
    """It does not work now for this target or delivery; others may work. `reason` as in `Failed`.

    `stalled` is set if the attempt took long: attempts for other targets with this ending may take as long.
    """

    reason: str
    stalled: str | None = None


@dataclass(frozen=True, slots=True)
class Declined:
    """The target answered, and refused this delivery for now; it may take others. `reason` as in `Failed`.

    `payload` replaces that of the delivery, so that the next attempt knows of this one.
    """

    reason: str
    payload: Payload


@dataclass(frozen=True, slots=True)
class Unready:
    """This node cannot prepare it now. `reason` as in `Failed`."""

    reason: str


@dataclass(frozen=True, slots=True)
class Undeliverable:
    """It will never work for this target. `reason` as in `Failed`."""

    reason: str


Outcome: TypeAlias = Delivered | Settled | Needless | Failed | Deferred | Declined | Unready | Undeliverable
