"""Following a feed that is slow, wrong or away (F24, F25, F26): the door closes in time, and heals by itself."""

import time
from collections.abc import Callable
from datetime import timedelta

import pytest

from authserver.verifier.feed_reader import LARGEST_PAGE
from authserver.verifier.follower import MAXIMUM_STALENESS, FeedFollower
from authserver.verifier.introspection import KEPT_FOR
from tests.support.people.following import (
    Make,
    becomes,
    changed,
    code_of,
    down,
    partition,
    saying,
    saying_status,
    settle,
)
from tests.support.wire.loopback import Asked, Reply
from tests.support.world.clock import ManualClock
from tests.support.world.feeds import user
from tests.support.world.issuer import CLIENT_SECRET, Issuer
from tests.support.world.processes import wait_until
from tests.support.world.time_limit import time_limit

STALE = timedelta(seconds=MAXIMUM_STALENESS + 1)


def test_nothing_passes_before_the_first_snapshot(make: Make, issuer: Issuer) -> None:
    """F24: also not if the issuer is away, and also not where staleness is accepted."""
    issuer.trouble = down
    verifiers = [make(when_stale, patience=0.1) for when_stale in ("refuse", "accept")]
    assert [code_of(verifier, issuer.token()) for verifier in verifiers] == ["revocations_unavailable"] * 2
    issuer.trouble = None
    for verifier in verifiers:
        becomes(verifier, issuer.token(), None)


def test_while_the_issuer_is_away_only_the_first_moments_are_spent_on_waiting(
    make: Make, issuer: Issuer, clock: ManualClock
) -> None:
    """Requests that wait hold threads: an issuer that is away must not take the resource server with it."""
    issuer.trouble = down
    verifier = make(patience=0.1)
    code_of(verifier, issuer.token())
    clock.advance(timedelta(seconds=0.1))
    began = time.monotonic()
    for _ in range(100):
        assert code_of(verifier, issuer.token()) == "revocations_unavailable"
    assert time.monotonic() - began < 5
    assert verifier.verify_at_once(issuer.token()) is None


def test_a_feed_that_is_away_for_too_long_closes_the_door_and_heals(
    make: Make, issuer: Issuer, clock: ManualClock
) -> None:
    """F24, F25: good tokens pass again when it is back, and those that were revoked meanwhile do not."""
    verifier, token, good = make(), issuer.token(), issuer.token(sub="user-2")
    verifier.verify(token)
    with partition(issuer):
        issuer.feed.add(user(version=4))
        clock.advance(timedelta(seconds=MAXIMUM_STALENESS))
        assert code_of(verifier, token) is None
        clock.advance(timedelta(seconds=0.001))
        assert code_of(verifier, token) == code_of(verifier, good) == "revocations_unavailable"
        assert verifier.lag > MAXIMUM_STALENESS
    becomes(verifier, good, None)
    assert code_of(verifier, token) == "stale_token_version"
    assert verifier.lag <= MAXIMUM_STALENESS


def test_a_resource_server_that_was_stopped_does_not_answer_from_before(
    make: Make, issuer: Issuer, clock: ManualClock
) -> None:
    """F26: between waking up and the first poll nothing passes."""
    verifier = make()
    verifier.verify(issuer.token())
    issuer.server.gate.clear()  # whatever is under way does not arrive
    clock.advance(timedelta(seconds=60))
    assert code_of(verifier, issuer.token()) == "revocations_unavailable"
    issuer.feed.add(user(version=4))
    issuer.server.gate.set()
    becomes(verifier, issuer.token(), "stale_token_version")


def test_an_answer_that_took_long_is_as_old_as_its_request(make: Make, issuer: Issuer, clock: ManualClock) -> None:
    """Design §6."""
    verifier = make()
    verifier.verify(issuer.token())
    seen = len(issuer.polls)

    def slow(asked: Asked) -> Reply:
        clock.advance(STALE)
        return issuer.page(asked)

    issuer.trouble = slow
    wait_until(lambda: len(issuer.polls) > seen + 1, "a slow answer")
    assert verifier.lag >= MAXIMUM_STALENESS


def test_an_answer_out_of_a_cache_is_as_old_as_it_says(make: Make, issuer: Issuer, clock: ManualClock) -> None:
    """Design §6: less `Age`."""
    issuer.trouble = lambda asked: Reply(issuer.page(asked).body, headers={"Age": "11"})
    verifier = make(patience=0.5)
    assert code_of(verifier, issuer.token()) == "revocations_unavailable"
    assert verifier.lag == 11
    issuer.trouble = None
    becomes(verifier, issuer.token(), None)


def test_accepting_means_what_is_not_known_to_be_revoked(make: Make, issuer: Issuer, clock: ManualClock) -> None:
    issuer.feed.add(user("user-2", 9))
    verifier = make("accept")
    verifier.verify(issuer.token())
    with partition(issuer):
        clock.advance(STALE)
        assert code_of(verifier, issuer.token()) is None
        assert code_of(verifier, issuer.token(sub="user-2")) == "stale_token_version"
        clock.advance(timedelta(seconds=320))
        assert code_of(verifier, issuer.token()) == "expired"


def test_introspecting_asks_the_issuer_about_each_token(make: Make, issuer: Issuer, clock: ManualClock) -> None:
    verifier, token = make("introspect"), issuer.token()
    verifier.verify(token)
    assert issuer.introspected == []
    with partition(issuer):
        clock.advance(STALE)
        assert verifier.verify_at_once(token) is None
        assert code_of(verifier, token) is None
        assert issuer.introspected == [token]
        issuer.active = False
        clock.advance(timedelta(seconds=KEPT_FOR))
        assert code_of(verifier, token) == "token_revoked"
        issuer.active = None
        clock.advance(timedelta(seconds=KEPT_FOR))
        assert code_of(verifier, token) == "revocations_unavailable"
    becomes(verifier, token, None)


def test_what_is_known_to_be_revoked_is_not_asked_about(make: Make, issuer: Issuer, clock: ManualClock) -> None:
    issuer.feed.add(user(version=4))
    verifier = make("introspect")
    code_of(verifier, issuer.token())
    with partition(issuer):
        clock.advance(STALE)
        assert code_of(verifier, issuer.token()) == "stale_token_version"
    assert issuer.introspected == []


def test_before_the_first_snapshot_introspection_may_answer(make: Make, issuer: Issuer) -> None:
    """F24: "or asks AS"."""
    issuer.trouble = down
    verifier = make("introspect", patience=0.05)
    assert code_of(verifier, issuer.token()) is None
    issuer.active = False
    assert code_of(verifier, issuer.token()) == "token_revoked"


TROUBLES: dict[str, Callable[[Issuer], Callable[[Asked], Reply | None]]] = {
    "down": lambda _: down,
    "forbidden": lambda _: saying_status(401),
    "redirecting": lambda issuer: lambda _: Reply(status=302, headers={"Location": f"{issuer.url}/oauth/revocations"}),
    "garbage": lambda _: saying(b"<html>welcome</html>"),
    "empty": lambda _: saying(b""),
    "cut off": lambda issuer: lambda _: Reply(issuer.feed.answer(""), headers={"Content-Length": "100000"}),
    "huge": lambda _: saying(b"[" + b" " * LARGEST_PAGE + b"]"),
    "wrong issuer": lambda issuer: changed(issuer, {"issuer": "https://other.example"}),
    "304 out of the blue": lambda _: saying_status(304),
    "no page": lambda issuer: changed(issuer, {"entries": None}),
}


@pytest.mark.parametrize("trouble", TROUBLES)
@time_limit(60)
def test_whatever_is_wrong_the_door_stays_closed_and_heals(make: Make, issuer: Issuer, trouble: str) -> None:
    """F24: with an empty memory."""
    issuer.feed.add(user("user-2", 9))
    issuer.trouble = TROUBLES[trouble](issuer)
    verifier = make(patience=0.3)
    assert code_of(verifier, issuer.token()) == "revocations_unavailable"
    issuer.trouble = None
    becomes(verifier, issuer.token(), None)
    assert code_of(verifier, issuer.token(sub="user-2")) == "stale_token_version"


@pytest.mark.parametrize("members", [{"format": 2}, {"entries": [{"kind": "device", "at": 1}]}])
@pytest.mark.parametrize("when_stale", ["refuse", "accept"])
def test_a_feed_that_is_not_understood_closes_the_door_at_once(
    make: Make, issuer: Issuer, when_stale: str, members: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    """Contract §5: whatever the choice for a feed that is away, this one is there, and says more than is known."""
    verifier, token = make(when_stale), issuer.token()
    verifier.verify(token)
    issuer.trouble = changed(issuer, members)
    becomes(verifier, token, "revocations_unavailable")
    assert "unknown" in caplog.text
    issuer.trouble = None
    becomes(verifier, token, None)


def test_lost_doubled_and_old_answers_change_nothing_in_the_end(make: Make, issuer: Issuer) -> None:
    """F24: slow, lossy, duplicate, reordered, replaying from the beginning, a snapshot older than what is known."""
    verifier, token = make(), issuer.token()
    verifier.verify(token)
    bodies = [issuer.feed.answer("")]
    number = 0

    def trouble(asked: Asked) -> Reply | None:
        nonlocal number
        number += 1
        bodies.append(issuer.page(asked).body or bodies[0])
        return [None, Reply(bodies[-2]), Reply(status=500), Reply(bodies[0]), None, Reply(bodies[number // 2])][
            number % 6
        ]

    issuer.trouble = trouble
    for version in (4, 5, 6):
        issuer.feed.add(user(version=version))
        becomes(verifier, issuer.token(token_version=version - 1), "stale_token_version")
        for _ in range(10):
            settle(issuer, 1)
            assert code_of(verifier, issuer.token(token_version=version - 1)) == "stale_token_version"
        assert code_of(verifier, issuer.token(token_version=version)) is None


def test_a_failing_feed_is_asked_less_and_less_often(make: Make, issuer: Issuer) -> None:
    """And as often as before when it is back."""
    issuer.trouble = down
    verifier = make(poll_interval=0.01, patience=0.01)
    code_of(verifier, issuer.token())
    follower = verifier._revocations
    assert isinstance(follower, FeedFollower)
    follower.close()
    pauses = [follower._poll() for _ in range(12)]
    assert pauses[0] <= 0.01 * 2**12
    assert 4 <= pauses[-1] <= 5
    issuer.trouble = None
    assert 0.008 <= follower._poll() <= 0.01


def test_what_goes_wrong_and_right_again_is_said_once(
    make: Make, issuer: Issuer, caplog: pytest.LogCaptureFixture
) -> None:
    verifier = make()
    verifier.verify(issuer.token())
    with partition(issuer):
        settle(issuer, 3)
    wait_until(lambda: "read again" in caplog.text, "healing")
    assert caplog.text.count("not read: status 503") == 1
    assert CLIENT_SECRET not in caplog.text
