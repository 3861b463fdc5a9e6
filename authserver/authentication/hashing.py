"""Work on passwords behind the bulkhead (`credentials.hashing_pool`), for all use cases."""

from collections.abc import Callable
from typing import TypeVar

from authserver.credentials.hashing_pool import Busy
from authserver.protocol.pause import draw_pause
from authserver.realm import Realm
from authserver.realm.outcomes import TryLater

Result = TypeVar("Result")


def run_hash(
    realm: Realm, work: Callable[[], Result], *, is_known: Callable[[], bool] = lambda: False
) -> Result | TryLater:
    """What `work` returned, or how many seconds to wait; `is_known` as in `HashingPool.run`."""
    outcome = realm.passwords.pool.run(work, is_known=is_known)
    return TryLater(draw_pause(realm.entropy)) if isinstance(outcome, Busy) else outcome
