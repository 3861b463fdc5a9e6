"""Fixtures of the races."""

from collections.abc import Iterator

import pytest

from authserver.realm import Realm
from tests.support.clock import ManualClock
from tests.support.entropy import SeededEntropy
from tests.support.realm import build_realm


@pytest.fixture
def crowded(database_url: str, clock: ManualClock, entropy: SeededEntropy) -> Iterator[Realm]:
    """A realm with fewer connections than the races have threads."""
    realm = build_realm(database_url, clock, entropy, pool_size=3)
    yield realm
    realm.database.dispose()
