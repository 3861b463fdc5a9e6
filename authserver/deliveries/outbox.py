"""The outbox: claims due deliveries, lets their kinds make them, and puts them off or gives them up on failure.

Any number of nodes work side by side. A process that dies after a delivery and before its removal leaves it to the
next one, so each delivery is made at least once. No transaction is open during an attempt. Log lines name a delivery as
its kind describes it, never its target.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final, assert_never, final

import structlog

from authserver.clock import Clock
from authserver.deliveries.kind import Kind
from authserver.deliveries.outcome import (
    Declined,
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
from authserver.records.delivery import Delivery, Rank, Share
from authserver.records.failures import StorageUnavailableError
from authserver.storage import Database, audit, deliveries
from authserver.storage.deliveries import Wanted

LEASE: Final = timedelta(seconds=60)
"""How long a claimed delivery belongs to the process that claimed it."""
SPARED: Final = timedelta(minutes=1)
"""How long other deliveries to a target wait after one was deferred."""

_log = structlog.get_logger(__name__)


@final
@dataclass(frozen=True, slots=True)
class Outbox:
    """The outbox of one installation, with the kinds of deliveries that this worker makes, and its share of them."""

    database: Database
    clock: Clock
    entropy: Entropy
    kinds: tuple[Kind, ...]
    share: Share = Share.ALL

    def work(self, *, most: int) -> int:
        """Process due deliveries one after the other, up to `most`, until none is due; return how many.

        After a `Failed`, the other deliveries of that kind wait for the next call: a mail server that is down should
        not be asked once per mail. All other failures, and other kinds, delay nothing.
        """
        working = {kind.name: kind for kind in self.kinds}
        for count in range(most):
            delivery = self._claim(working.values())
            if delivery is None:
                return count
            outcome = self._try(working[delivery.kind], delivery)
            self._conclude(working[delivery.kind], delivery, outcome)
            if isinstance(outcome, Failed):
                del working[delivery.kind]
        return most

    def _claim(self, kinds: Iterable[Kind]) -> Delivery | None:
        now = self.clock.now()
        wanted = Wanted({kind.name: kind.is_ordered for kind in kinds}, self.share)
        with self.database.read() as tx:
            if not deliveries.is_any_due(tx, now, wanted):
                return None
        with self.database.write() as tx:
            return deliveries.claim(tx, now, wanted, until=now + LEASE)

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
                pause = self._try_later(kind, delivery, reason)
                self._hold_back(delivery, stalled, pause if kind.is_ordered else SPARED)
            case Declined(reason, payload):
                self._try_later(kind, replace(delivery, payload=payload), reason, after_others=True)
            case Unready(reason) | Failed(reason):
                self._try_later(kind, delivery, reason)
            case _:
                assert_never(outcome)

    def _remove(self, delivery: Delivery) -> None:
        with self.database.write() as tx:
            deliveries.remove(tx, delivery.delivery_id)

    def _try_later(self, kind: Kind, delivery: Delivery, reason: str, *, after_others: bool = False) -> timedelta:
        """Put the delivery off, or give it up; return the pause."""
        if delivery.attempts > len(kind.pauses) and not kind.is_persistent:
            self._give_up(kind, delivery, reason)
            return SPARED
        pause = kind.pauses[min(delivery.attempts, len(kind.pauses)) - 1]
        facts = {**kind.describe(delivery), "attempts": delivery.attempts, "reason": reason}
        _log.warning(f"{kind.word}_put_off", **facts, seconds=int(pause.total_seconds()))
        with self.database.write() as tx:
            deliveries.postpone(tx, delivery, self.clock.now() + pause, after_others=after_others)
        return pause

    def _hold_back(self, delivery: Delivery, neighbours: str | None, pause: timedelta) -> None:
        """Postpone other deliveries to the target, so that they keep their order.

        If the attempt took long, also postpone routine deliveries to its neighbours, because each may take as long.
        Urgent ones are never postponed: one bad address at a domain must not delay password resets for all others.
        """
        now = self.clock.now()
        with self.database.write() as tx:
            deliveries.hold_back(tx, delivery.kind, delivery.target, now, until=now + pause)
            if neighbours is not None:
                until = now + SPARED
                deliveries.hold_neighbours_back(tx, delivery.kind, neighbours, now, rank=Rank.ROUTINE, until=until)

    def _give_up(self, kind: Kind, delivery: Delivery, reason: str) -> None:
        detail: Detail = {**kind.describe(delivery), "attempts": delivery.attempts, "reason": reason}
        _log.error(f"{kind.word}_given_up", **detail)
        with self.database.write() as tx:
            subject = kind.find_subject(tx, delivery)
            if deliveries.remove(tx, delivery.delivery_id):
                audit.write(
                    tx,
                    kind.given_up,
                    by=SERVER,
                    now=self.clock.now(),
                    entropy=self.entropy,
                    outcome="failure",
                    user_id=subject.user_id,
                    sid=subject.sid,
                    client_id=subject.client_id,
                    detail=detail,
                )
