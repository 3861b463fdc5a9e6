"""A process that was frozen between two requests, or forked: it asks once and goes on, instead of 503."""

import os
import threading
import time
import warnings
from datetime import timedelta

import pytest

from authserver.verifier.follower import PATIENCE
from tests.support.people.following import Make, code_of, down
from tests.support.wire.loopback import Asked, Reply
from tests.support.world.clock import ManualClock
from tests.support.world.feeds import user
from tests.support.world.issuer import Issuer
from tests.support.world.processes import wait_until
from tests.support.world.time_limit import time_limit

HOUR = timedelta(hours=1)
ASLEEP = 9.5
"""Seconds from one poll to the next: for as long as a test lasts, nobody polls unless somebody asks."""


@pytest.mark.parametrize("when_stale", ["refuse", "accept", "introspect"])
@time_limit(30)
def test_after_a_freeze_the_first_question_asks_the_feed_and_waits(
    make: Make, issuer: Issuer, clock: ManualClock, when_stale: str
) -> None:
    """As in a function or a container that runs only while it answers. The monotonic clock may have stood still."""
    verifier = make(when_stale, poll_interval=ASLEEP)
    verifier.verify(issuer.token())
    asked = len(issuer.polls)
    issuer.feed.add(user("user-2", 9))
    clock.suspend(HOUR)
    now = int(clock.seconds())
    assert verifier.verify_at_once(issuer.token(iat=now, exp=now + 300)) is None, "it would have to wait"
    assert code_of(verifier, issuer.token(iat=now, exp=now + 300)) is None
    assert code_of(verifier, issuer.token(iat=now, exp=now + 300, sub="user-2")) == "stale_token_version"
    assert len(issuer.polls) == asked + 1
    assert issuer.introspected == []


@time_limit(30)
def test_a_freeze_in_the_middle_of_a_poll_is_no_reason_to_wait_for_that_poll(
    make: Make, issuer: Issuer, clock: ManualClock
) -> None:
    """The connection is cut without a word, so the thread that polled hangs until its time-out."""
    release = threading.Event()
    is_first = True

    def hang_once(_asked: Asked) -> Reply | None:
        nonlocal is_first
        if not is_first:
            return None
        is_first = False
        release.wait(20)
        return Reply(status=503)

    verifier = make(poll_interval=0.05)
    verifier.verify(issuer.token())
    issuer.trouble = hang_once
    wait_until(lambda: not is_first, "a poll that hangs")
    clock.suspend(HOUR)
    now = int(clock.seconds())
    began = time.monotonic()
    assert code_of(verifier, issuer.token(iat=now, exp=now + 300)) is None
    assert time.monotonic() - began < PATIENCE
    release.set()


@time_limit(30)
def test_an_issuer_that_is_away_after_a_freeze_is_waited_for_no_longer_than_at_the_start(
    make: Make, issuer: Issuer, clock: ManualClock
) -> None:
    verifier = make(poll_interval=ASLEEP, patience=0.2)
    verifier.verify(issuer.token())
    clock.suspend(HOUR)
    issuer.trouble = down
    now = int(clock.seconds())
    assert code_of(verifier, issuer.token(iat=now, exp=now + 300)) == "revocations_unavailable"


@time_limit(60)
def test_a_forked_child_that_believes_its_parents_thread_alive_follows_all_the_same(
    make: Make, issuer: Issuer, clock: ManualClock
) -> None:
    """As under gevent, which keeps the parent's threads among the living."""
    verifier = make()
    token = issuer.token()
    verifier.verify(token)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        status = 1
        try:
            verifier._revocations._thread.is_alive = lambda: True  # type: ignore[attr-defined]
            clock.advance(timedelta(seconds=5))
            verifier.verify(token)
            wait_until(lambda: verifier.lag < 1, "a poll")
            status = 0
        finally:
            os._exit(status)
    issuer.seconds = lambda: clock.seconds() + 5
    assert os.waitpid(child, 0)[1] == 0
