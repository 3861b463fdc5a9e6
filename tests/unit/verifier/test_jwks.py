"""The JWKS client, against a real server on loopback, with time moved by hand."""

import logging
import multiprocessing
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

import pytest

from authserver.verifier.fetch import fetch
from authserver.verifier.jwks import (
    COOL_DOWN,
    KEPT_FOR,
    LARGEST_SET,
    MAX_AGE,
    REFRESHED_FROM,
    JwksClient,
    KeysUnavailableError,
)
from tests.support.wire.loopback import LoopbackServer, running_server
from tests.support.world.clock import ManualClock
from tests.support.world.processes import wait_until
from tests.support.world.tokens import jwks, make_pair

OLD, NEW = make_pair("old", "ES256"), make_pair("new", "EdDSA")


@pytest.fixture
def server() -> Iterator[LoopbackServer]:
    with running_server() as server:
        server.body = jwks(OLD)
        yield server


@pytest.fixture
def client(server: LoopbackServer, clock: ManualClock) -> JwksClient:
    return JwksClient(f"{server.url}/jwks.json", clock=clock)


def let_pass(clock: ManualClock, seconds: float) -> None:
    clock.advance(timedelta(seconds=seconds))


def test_nothing_is_fetched_before_the_first_question(client: JwksClient, server: LoopbackServer) -> None:
    assert server.hits == 0
    assert client.find_key("old") == OLD.verification_key
    assert server.paths == ["/jwks.json"]


def test_a_fresh_set_is_not_fetched_again(client: JwksClient, server: LoopbackServer, clock: ManualClock) -> None:
    for _ in range(3):
        client.find_key("old")
        let_pass(clock, MAX_AGE / 3 - 1)
    assert server.hits == 1


def test_a_set_is_fetched_anew_after_its_age(client: JwksClient, server: LoopbackServer, clock: ManualClock) -> None:
    client.find_key("old")
    server.body = jwks(NEW)
    let_pass(clock, MAX_AGE)
    assert client.find_key("old") is None
    assert client.find_key("new") == NEW.verification_key
    assert server.hits == 2


def test_a_set_is_as_old_as_the_sleep_of_the_machine(
    client: JwksClient, server: LoopbackServer, clock: ManualClock
) -> None:
    """Its freshness, the cool-down, and how long it serves at most: the monotonic clock stands still meanwhile."""
    client.find_key("old")
    server.body = jwks(NEW)
    clock.suspend(timedelta(seconds=MAX_AGE))
    assert not client.is_fresh("old")
    assert client.find_key("old") is None
    server.status = 500
    clock.suspend(timedelta(seconds=KEPT_FOR))
    with pytest.raises(KeysUnavailableError):
        client.find_key("new")
    assert server.hits == 3


@pytest.mark.parametrize(
    ("stated", "kept"), [("max-age=60", 60), ("max-age=2", 2), ("max-age=0", 1), ("max-age=9999", 300)]
)
def test_a_shorter_age_of_the_issuer_is_honoured(
    client: JwksClient, server: LoopbackServer, clock: ManualClock, stated: str, kept: float
) -> None:
    """Also below the cool-down: else a key could sign before this client may see it."""
    server.headers = {"Cache-Control": stated}
    client.find_key("old")
    let_pass(clock, kept * REFRESHED_FROM - 0.1)
    client.find_key("old")
    assert server.hits == 1
    let_pass(clock, kept * (1 - REFRESHED_FROM) + 0.2)
    client.find_key("old")
    assert server.hits == 2


def test_a_new_key_is_found_within_the_cool_down(
    client: JwksClient, server: LoopbackServer, clock: ManualClock
) -> None:
    client.find_key("old")
    server.body = jwks(OLD, NEW)
    let_pass(clock, COOL_DOWN - 0.1)
    assert client.find_key("new") is None
    let_pass(clock, 0.2)
    assert client.find_key("new") == NEW.verification_key


def test_a_thousand_random_kids_cost_one_fetch_per_cool_down(
    client: JwksClient, server: LoopbackServer, clock: ManualClock
) -> None:
    client.find_key("old")
    for period in range(1, 4):
        let_pass(clock, COOL_DOWN)
        assert [client.find_key(f"random-{number}") for number in range(1000)] == [None] * 1000
        assert server.hits == 1 + period


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, jwks(NEW)),
        (302, jwks(NEW)),
        (200, b"<html>maintenance</html>"),
        (200, b""),
        (200, b'{"keys":[]}'),
        (200, b'{"keys":[{"kty":"oct","kid":"h","k":"AA"}]}'),
        (200, jwks(NEW, NEW)),
        (200, jwks(NEW)[:-1] + b" " * LARGEST_SET + b"}"),
    ],
    ids=["500", "redirect", "html", "nothing", "empty", "unusable", "ambiguous", "too-large"],
)
def test_a_failed_fetch_leaves_the_last_good_set_in_force(
    client: JwksClient, server: LoopbackServer, clock: ManualClock, status: int, body: bytes
) -> None:
    client.find_key("old")
    server.status, server.body = status, body
    let_pass(clock, MAX_AGE)
    assert client.find_key("old") == OLD.verification_key
    assert client.find_key("new") is None
    assert server.hits == 2


def test_failures_are_followed_by_the_cool_down(client: JwksClient, server: LoopbackServer, clock: ManualClock) -> None:
    """An issuer that is down is not also flooded; one that is back is found soon."""
    server.status = 500
    for _ in range(50):
        with pytest.raises(KeysUnavailableError):
            client.find_key("old")
    assert server.hits == 1
    server.status = 200
    let_pass(clock, COOL_DOWN)
    assert client.find_key("old") == OLD.verification_key


def test_the_last_good_set_is_kept_for_a_day_and_no_longer(
    client: JwksClient, server: LoopbackServer, clock: ManualClock
) -> None:
    client.find_key("old")
    server.status = 500
    let_pass(clock, KEPT_FOR - 1)
    assert client.find_key("old") == OLD.verification_key
    let_pass(clock, COOL_DOWN)
    with pytest.raises(KeysUnavailableError):
        client.find_key("old")
    server.status = 200
    let_pass(clock, COOL_DOWN)
    assert client.find_key("old") == OLD.verification_key


def test_a_failure_is_logged_with_its_reason(
    client: JwksClient, server: LoopbackServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.status = 500
    with caplog.at_level(logging.WARNING, "authserver.verifier"), pytest.raises(KeysUnavailableError):
        client.find_key("old")
    assert "not refreshed: status 500" in caplog.text


def test_a_cold_start_of_many_threads_is_one_fetch(client: JwksClient, server: LoopbackServer) -> None:
    server.gate.clear()
    with ThreadPoolExecutor(16) as pool:
        found = [pool.submit(client.find_key, "old") for _ in range(16)]
        while server.hits == 0:
            threading.Event().wait(0.01)
        server.gate.set()
        assert [future.result(timeout=10) for future in found] == [OLD.verification_key] * 16
    assert server.hits == 1


def test_who_has_a_good_set_never_waits_for_a_fetch(
    client: JwksClient, server: LoopbackServer, clock: ManualClock
) -> None:
    """One thread fetches and hangs; all others answer from the old set at once, also about unknown kids."""
    client.find_key("old")
    let_pass(clock, MAX_AGE)
    server.gate.clear()
    with ThreadPoolExecutor(1) as pool:
        hanging = pool.submit(client.find_key, "old")
        while server.hits < 2:
            threading.Event().wait(0.01)
        assert client.find_key("old") == OLD.verification_key
        assert client.find_key("unknown") is None
        assert not hanging.done()
        server.gate.set()
        assert hanging.result(timeout=10) == OLD.verification_key
    assert server.hits == 2


@pytest.mark.parametrize("ask", ["find_key", "is_fresh"])
def test_a_set_is_refreshed_in_the_background_before_it_is_too_old(
    client: JwksClient, server: LoopbackServer, clock: ManualClock, ask: str
) -> None:
    """A busy resource server never waits for keys, and however many ask, one fetch is in flight."""
    client.find_key("old")
    let_pass(clock, MAX_AGE * REFRESHED_FROM)
    server.body = jwks(OLD, NEW)
    server.gate.clear()
    for _ in range(100):
        assert getattr(client, ask)("old")
    assert client._in_flight.own.locked()  # the fetch waits at the gate, and nobody waited for it
    server.gate.set()
    wait_until(lambda: client.is_fresh("new"), "the new set")
    assert server.hits == 2


@pytest.mark.parametrize(("stated", "step"), [(MAX_AGE, MAX_AGE * REFRESHED_FROM), (4, COOL_DOWN + 1)])
def test_while_the_issuer_hangs_nobody_with_a_good_set_waits(
    client: JwksClient, server: LoopbackServer, clock: ManualClock, stated: float, step: float
) -> None:
    """Also when the set is older than its age: it is asked for again and again, behind their backs."""
    server.headers = {"Cache-Control": f"max-age={stated:.0f}"}
    client.find_key("old")
    server.status = 500
    for fetches in range(2, 5):
        let_pass(clock, stated * REFRESHED_FROM if fetches == 2 else step)
        server.gate.clear()
        assert client.find_key("old") == OLD.verification_key
        assert client._in_flight.own.locked()
        server.gate.set()
        wait_until(lambda: not client._in_flight.own.locked(), "the end of the fetch")
        assert server.hits == fetches
    assert not client.is_fresh("old")


def test_an_issuer_that_hangs_is_given_up(server: LoopbackServer, clock: ManualClock) -> None:
    server.gate.clear()
    client = JwksClient(server.url, clock=clock, fetch=partial(fetch, timeout=0.2, largest=LARGEST_SET))
    with pytest.raises(KeysUnavailableError):
        client.find_key("old")


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_fork_during_a_fetch_leaves_a_child_that_can_fetch(client: JwksClient, server: LoopbackServer) -> None:
    """Servers fork workers while other threads run; a copied lock that nobody will release must not stop them."""
    server.gate.clear()
    with ThreadPoolExecutor(1) as pool:
        hanging = pool.submit(client.find_key, "old")
        while server.hits < 1:
            threading.Event().wait(0.01)
        context = multiprocessing.get_context("fork")
        answers = context.SimpleQueue()
        child = context.Process(target=lambda: answers.put(client.find_key("old") is not None))
        child.start()
        while server.hits < 2:  # the child asks, too, although its copy of the lock is held
            threading.Event().wait(0.01)
        server.gate.set()
        child.join(timeout=20)
        assert child.exitcode == 0
        assert answers.get() is True
        assert hanging.result(timeout=10) == OLD.verification_key
