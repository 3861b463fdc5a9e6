"""What an attempt at a delivery comes to."""

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Delivered:
    """Somebody else answers for it now."""


@dataclass(frozen=True, slots=True)
class Settled:
    """The kind has done what there was to do, and has removed the delivery in the same transaction."""


@dataclass(frozen=True, slots=True)
class Needless:
    """Nobody has a use for it any more."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The way out does not work now, for nothing of this kind.

    `reason` is for the log: it has no target, and no text of what is delivered.
    """

    reason: str


@dataclass(frozen=True, slots=True)
class Deferred:
    """It does not work now for this target or delivery; others may. `reason` as in `Failed`.

    `stalled` says that it took long to find out, and for which others it may, too: those whose target ends so.
    """

    reason: str
    stalled: str | None = None


@dataclass(frozen=True, slots=True)
class Unready:
    """What is to be handed over cannot be made now. `reason` as in `Failed`."""

    reason: str


@dataclass(frozen=True, slots=True)
class Undeliverable:
    """It will never work for this target. `reason` as in `Failed`."""

    reason: str


Outcome: TypeAlias = Delivered | Settled | Needless | Failed | Deferred | Unready | Undeliverable
