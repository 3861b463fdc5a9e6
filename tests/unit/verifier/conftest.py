"""A verifier that follows an issuer over a real socket."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from authserver.verifier import Verifier
from authserver.verifier.follower import WhenStale
from tests.support.people.following import PAIR, Make, make_verifier
from tests.support.world.clock import ManualClock
from tests.support.world.issuer import Issuer, running_issuer


@pytest.fixture
def issuer(clock: ManualClock) -> Iterator[Issuer]:
    """One that signs with `PAIR`, and whose clock goes as the verifier's does."""
    with running_issuer(PAIR) as issuer:
        issuer.seconds = clock.seconds
        yield issuer


@pytest.fixture
def make(issuer: Issuer, clock: ManualClock) -> Iterator[Make]:
    """Makes verifiers that are closed with the test."""
    with ExitStack() as stack:

        def make(when_stale: WhenStale = "refuse", **settings: object) -> Verifier:
            verifier = make_verifier(issuer, clock, when_stale, **settings)
            stack.callback(verifier.close)
            return verifier

        yield make
