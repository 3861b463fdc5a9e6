"""Work on passwords behind the bulkhead (`credentials.hashing_pool`), for all use cases."""

from collections.abc import Callable
from typing import Final, TypeVar

from authserver.accounts.outcomes import TryLater
from authserver.credentials.hashing_pool import Busy
from authserver.realm import Realm

Result = TypeVar("Result")

LONGEST_PAUSE: Final = 4
"""Seconds. Those who were sent away together do not come back together."""


def run_hash(
    realm: Realm, work: Callable[[], Result], *, is_known: Callable[[], bool] = lambda: False
) -> Result | TryLater:
    """What `work` returned, or how many seconds to wait; `is_known` as in `HashingPool.run`."""
    outcome = realm.hashing_pool.run(work, is_known=is_known)
    return TryLater(1 + realm.entropy(1)[0] % LONGEST_PAUSE) if isinstance(outcome, Busy) else outcome
