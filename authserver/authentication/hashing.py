"""Runs password hashes in the bounded pool (`credentials.hashing_pool`), for all use cases."""

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
    """Run `work` in the pool; return its result, or `TryLater` if the pool is full or too slow.

    `is_known` is called only for a caller who would be turned away; True lets them use a reserved place.
    """
    outcome = realm.passwords.pool.run(work, is_known=is_known)
    return TryLater(draw_pause(realm.entropy)) if isinstance(outcome, Busy) else outcome
