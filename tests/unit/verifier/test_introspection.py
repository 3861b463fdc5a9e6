"""Asking the issuer about one token: a clear yes, a clear no, or no answer."""

from datetime import timedelta
from urllib.parse import parse_qs

import pytest

from authserver.verifier.fetch import Call, Fetched, FetchError, write_basic
from authserver.verifier.introspection import KEPT_FOR, Introspector
from tests.support.world.clock import ManualClock

URI = "https://auth.example/oauth/introspect"


class Endpoint:
    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.body: bytes | None = b'{"active": true}'

    def __call__(self, call: Call) -> Fetched:
        self.calls.append(call)
        if self.body is None:
            raise FetchError("away")
        return Fetched(self.body, None)


@pytest.fixture
def endpoint() -> Endpoint:
    return Endpoint()


@pytest.fixture
def introspector(endpoint: Endpoint, clock: ManualClock) -> Introspector:
    return Introspector(URI, write_basic("rs", "secret"), clock=clock, ask=endpoint)


def test_the_token_goes_into_the_body_and_the_credentials_into_the_header(
    introspector: Introspector, endpoint: Endpoint
) -> None:
    """RFC 7662 §2.1."""
    assert introspector.is_active("a.b.c")
    (call,) = endpoint.calls
    assert call.url == URI
    assert call.form is not None
    assert parse_qs(call.form.decode()) == {"token": ["a.b.c"], "token_type_hint": ["access_token"]}
    assert call.headers["Authorization"].startswith("Basic ")


def test_a_clear_no_is_one(introspector: Introspector, endpoint: Endpoint) -> None:
    endpoint.body = b'{"active": false}'
    assert not introspector.is_active("a.b.c")


def test_an_answer_serves_for_a_moment(introspector: Introspector, endpoint: Endpoint, clock: ManualClock) -> None:
    assert introspector.is_active("a.b.c")
    endpoint.body = b'{"active": false}'
    clock.advance(timedelta(seconds=KEPT_FOR - 0.1))
    assert introspector.is_active("a.b.c")
    assert not introspector.is_active("another.b.c")
    clock.advance(timedelta(seconds=0.1))
    assert not introspector.is_active("a.b.c")


NO_ANSWERS = [
    None,
    b"",
    b"<html>",
    b"\xff",
    b"[" * 100_000,
    b"{}",
    b"[]",
    b"true",
    b'"active"',
    b'{"active": 1}',
    b'{"active": "true"}',
    b'{"active": null}',
    b'{"error": "temporarily_unavailable"}',
]


@pytest.mark.parametrize("body", NO_ANSWERS, ids=range(len(NO_ANSWERS)))
def test_no_answer_is_an_error_and_nobody_asks_again_at_once(
    introspector: Introspector, endpoint: Endpoint, clock: ManualClock, body: bytes | None
) -> None:
    """Every request would else wait for an issuer that is away."""
    endpoint.body = body
    for token in ("a.b.c", "d.e.f"):
        with pytest.raises(FetchError):
            introspector.is_active(token)
    assert len(endpoint.calls) == 1
    endpoint.body = b'{"active": true}'
    clock.advance(timedelta(seconds=KEPT_FOR))
    assert introspector.is_active("a.b.c")


def test_what_was_said_before_a_sleep_is_asked_again(
    introspector: Introspector, endpoint: Endpoint, clock: ManualClock
) -> None:
    """The monotonic clock stands still meanwhile."""
    assert introspector.is_active("a.b.c")
    endpoint.body = b'{"active": false}'
    clock.suspend(timedelta(seconds=KEPT_FOR))
    assert not introspector.is_active("a.b.c")


def test_what_is_no_token_is_not_asked_about(introspector: Introspector, endpoint: Endpoint) -> None:
    assert not introspector.is_active("é")
    assert endpoint.calls == []


def test_the_memory_is_bounded(introspector: Introspector) -> None:
    for number in range(2_500):
        introspector.is_active(f"{number}.b.c")
    assert len(introspector._said) <= 1_000
