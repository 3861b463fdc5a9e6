"""The outbox: claims due deliveries, lets their kinds make them, and puts them off or gives them up on failure.

Any number of nodes work side by side. A process that dies after a delivery and before its removal leaves it to the
next one, so each delivery is made at least once. No transaction is open during an attempt. Log lines name a delivery as
its kind describes it, never its target.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, assert_never, final

import structlog

from authserver.clock import Clock
from authserver.deliveries.kind import Kind
from authserver.deliveries.outcome import (
    Deferred,
    Delivered,
    Failed,
    Needless,
    Outcome,
    Settled,
    Undeliverable,
    Unready,
)
from authserver.protocol.entropy import Entropy
from authserver.records.audit import SERVER, Detail
from authserver.records.delivery import Delivery, Rank
from authserver.records.failures import StorageUnavailableError
from authserver.storage import Database, audit, deliveries

LEASE: Final = timedelta(seconds=60)
"""How long a claimed delivery belongs to the process that claimed it."""
SPARED: Final = timedelta(minutes=1)
"""How long other deliveries to a target wait after one was deferred."""

_log = structlog.get_logger(__name__)


@final
@dataclass(frozen=True, slots=True)
class Outbox:
    """The outbox of one installation, with the kinds of deliveries that this process makes."""

    database: Database
    clock: Clock
    entropy: Entropy
    kinds: tuple[Kind, ...]

    def work(self, *, most: int) -> int:
        """Process due deliveries one after the other, up to `most`, until none is due; return how many.

        After a `Failed`, the other deliveries of that kind wait for the next call: a mail server that is down should
        not be asked once per mail. All other failures, and other kinds, delay nothing.
        """
        working = {kind.name: kind for kind in self.kinds}
        for count in range(most):
            delivery = self._claim(working)
            if delivery is None:
                return count
            outcome = self._try(working[delivery.kind], delivery)
            self._conclude(working[delivery.kind], delivery, outcome)
            if isinstance(outcome, Failed):
                del working[delivery.kind]
        return most

    def _claim(self, kinds: Collection[str]) -> Delivery | None:
        now = self.clock.now()
        with self.database.read() as tx:
            if not deliveries.is_any_due(tx, now, kinds):
                return None
        with self.database.write() as tx:
            return deliveries.claim(tx, now, kinds, until=now + LEASE)

    def _try(self, kind: Kind, delivery: Delivery) -> Outcome:
        try:
            return kind.attempt(delivery)
        except StorageUnavailableError:
            raise  # the lease ends by itself
        except Exception as error:  # noqa: BLE001 - one delivery's failure is not the others', and its text may hold anything
            return Unready(f"{type(error).__module__}.{type(error).__qualname__}")

    def _conclude(self, kind: Kind, delivery: Delivery, outcome: Outcome) -> None:
        match outcome:
            case Settled():
                pass
            case Delivered():
                self._remove(delivery)
            case Needless():
                _log.info(f"{kind.word}_dropped", **kind.describe(delivery))
                self._remove(delivery)
            case Undeliverable(reason):
                self._give_up(kind, delivery, reason)
            case Deferred(reason, stalled):
                self._try_later(kind, delivery, reason)
                self._hold_back(delivery, stalled)
            case Unready(reason) | Failed(reason):
                self._try_later(kind, delivery, reason)
            case _:
                assert_never(outcome)

    def _remove(self, delivery: Delivery) -> None:
        with self.database.write() as tx:
            deliveries.remove(tx, delivery.delivery_id)

    def _try_later(self, kind: Kind, delivery: Delivery, reason: str) -> None:
        if delivery.attempts > len(kind.pauses):
            self._give_up(kind, delivery, reason)
            return
        pause = kind.pauses[delivery.attempts - 1]
        facts = {**kind.describe(delivery), "attempts": delivery.attempts, "reason": reason}
        _log.warning(f"{kind.word}_put_off", **facts, seconds=int(pause.total_seconds()))
        with self.database.write() as tx:
            deliveries.postpone(tx, delivery, self.clock.now() + pause)

    def _hold_back(self, delivery: Delivery, neighbours: str | None) -> None:
        """Postpone other deliveries to the target, so that they keep their order.

        If the attempt took long, also postpone routine deliveries to its neighbours, because each may take as long.
        Urgent ones are never postponed: one bad address at a domain must not delay password resets for all others.
        """
        now = self.clock.now()
        until = now + SPARED
        with self.database.write() as tx:
            deliveries.hold_back(tx, delivery.kind, delivery.target, now, until=until)
            if neighbours is not None:
                deliveries.hold_neighbours_back(tx, delivery.kind, neighbours, now, rank=Rank.ROUTINE, until=until)

    def _give_up(self, kind: Kind, delivery: Delivery, reason: str) -> None:
        detail: Detail = {**kind.describe(delivery), "attempts": delivery.attempts, "reason": reason}
        _log.error(f"{kind.word}_given_up", **detail)
        with self.database.write() as tx:
            user_id = kind.find_user(tx, delivery)
            if deliveries.remove(tx, delivery.delivery_id):
                audit.write(
                    tx,
                    kind.given_up,
                    by=SERVER,
                    now=self.clock.now(),
                    entropy=self.entropy,
                    outcome="failure",
                    user_id=user_id,
                    detail=detail,
                )
