"""Following the feed of a real server on loopback: what passes, who polls, and when that ends."""

import gc
import json
import math
import os
import socket
import threading
import time
import warnings
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from authserver.protocol import base64url
from authserver.protocol.revocation_feed import ClientEntry, Entry, KeyEntry, SessionEntry, TokenEntry
from authserver.verifier import Verifier
from authserver.verifier.feed_reader import FeedSource
from authserver.verifier.fetch import write_basic
from authserver.verifier.follower import MAXIMUM_STALENESS, FeedFollower
from tests.support.people.following import (
    Make,
    becomes,
    code_of,
    down,
    settle,
)
from tests.support.wire.loopback import Asked, Reply
from tests.support.world.clock import ManualClock
from tests.support.world.feeds import user
from tests.support.world.issuer import CLIENT_ID, CLIENT_SECRET, Issuer
from tests.support.world.processes import wait_until
from tests.support.world.time_limit import time_limit
from tests.support.world.tokens import AUDIENCE, NOW, user_claims
from tests.vectors.forge.workshop import malleate

STALE = timedelta(seconds=MAXIMUM_STALENESS + 1)


def test_with_its_credentials_a_verifier_follows_the_feed_by_itself(issuer: Issuer) -> None:
    """Contract §6. In real time, with the defaults."""
    issuer.seconds = time.time
    now = int(time.time())
    token = issuer.token(iat=now, exp=now + 300)
    verifier = Verifier(issuer.url, AUDIENCE, CLIENT_ID, CLIENT_SECRET)
    assert verifier.lag == math.inf
    assert issuer.polls == []
    assert verifier.verify(token).sub == "user-1"
    assert verifier.lag < 5
    issuer.feed.add(TokenEntry("token-1", now))
    becomes(verifier, token, "token_revoked")
    verifier.close()


@pytest.mark.parametrize("path", ["", "/realm"])
def test_with_an_inner_address_everything_is_asked_for_there_and_the_issuer_stays(
    issuer: Issuer, clock: ManualClock, path: str
) -> None:
    """Keys, feed and introspection: nothing is asked at the public address, which need not be within reach."""
    public = issuer.feed.issuer = f"https://auth.invalid{path}"
    issuer.server.answer = lambda asked: issuer.answer(replace(asked, path=asked.path.removeprefix(path)))
    inner = f"{issuer.url}{path}/"
    verifier = Verifier(
        public, AUDIENCE, CLIENT_ID, CLIENT_SECRET, internal_url=inner, when_stale="introspect", clock=clock
    )
    token = issuer.pair.token(user_claims(iss=public))
    assert verifier.verify(token).iss == public
    assert code_of(verifier, issuer.token()) == "wrong_issuer"
    issuer.trouble = down
    clock.advance(STALE)
    assert verifier.verify(token).iss == public
    verifier.close()
    assert issuer.introspected == [token]
    assert {asked.partition("?")[0].removeprefix(path) for asked in issuer.server.paths} == {
        "/.well-known/jwks.json",
        "/oauth/revocations",
        "/oauth/introspect",
    }


@pytest.mark.parametrize(
    ("entry", "code", "other"),
    [
        (user(version=4), "stale_token_version", {"token_version": 4}),
        (user(locked=True, soft_logout=True), "user_locked", {"sub": "user-2"}),
        (SessionEntry("session-1", soft_logout=False, at=NOW), "session_revoked", {"sid": "session-2"}),
        (TokenEntry("token-1", NOW), "token_revoked", {"jti": "token-2"}),
        (ClientEntry("first-party", disabled=True, rev=0, at=NOW), "client_disabled", {"client_id": "c"}),
    ],
)
def test_what_is_revoked_is_refused_soon_and_nothing_else(
    make: Make, issuer: Issuer, entry: Entry, code: str, other: dict[str, object]
) -> None:
    """ASVS 8.3.2."""
    verifier, token = make(), issuer.token()
    verifier.verify(token)
    issuer.feed.add(entry)
    becomes(verifier, token, code)
    verifier.verify(issuer.token(**other))


def test_the_key_of_a_token_that_was_seen_is_asked_about_too(make: Make, issuer: Issuer) -> None:
    verifier, token = make(), issuer.token()
    verifier.verify(token)
    issuer.feed.add(KeyEntry("k", NOW))
    becomes(verifier, token, "key_revoked")


@pytest.mark.parametrize("entry", [TokenEntry("token-1", NOW), SessionEntry("session-1", soft_logout=False, at=NOW)])
def test_every_spelling_of_a_revoked_token_is_refused(make: Make, issuer: Issuer, entry: Entry) -> None:
    """F36: an ECDSA signature has two spellings, and what is denied is what the token says."""
    verifier, token = make(), issuer.token()
    signing_input, _, signature = token.rpartition(".")
    respelled = f"{signing_input}.{base64url.encode(malleate(base64url.decode(signature)))}"
    verifier.verify(token)
    issuer.feed.add(entry)
    settle(issuer)
    assert code_of(verifier, respelled) is not None
    assert code_of(verifier, token) == code_of(verifier, respelled)


def test_a_quiet_feed_is_answered_304(make: Make, issuer: Issuer) -> None:
    verifier = make()
    statuses: list[int] = []

    def watch(asked: Asked) -> Reply:
        reply = issuer.page(asked)
        statuses.append(reply.status)
        return reply

    issuer.trouble = watch
    verifier.verify(issuer.token())
    settle(issuer, 6)
    assert statuses[:2] == [200, 200]
    assert set(statuses[2:]) == {304}


def test_the_first_token_waits_for_the_first_snapshot(make: Make, issuer: Issuer) -> None:
    issuer.feed.add(user(version=4))
    assert code_of(make(), issuer.token()) == "stale_token_version"
    assert code_of(make(), issuer.token(token_version=4)) is None


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "authserver-feed"]


def test_nothing_runs_before_the_first_token_and_after_close(make: Make, issuer: Issuer) -> None:
    wait_until(lambda: not threads(), "the end of earlier threads")
    verifier = make()
    assert threads() == []
    verifier.verify(issuer.token())
    assert len(threads()) == 1
    verifier.close()
    wait_until(lambda: not threads(), "the end of the thread")


def test_after_close_what_is_known_grows_old(make: Make, issuer: Issuer, clock: ManualClock) -> None:
    verifier = make()
    verifier.verify(issuer.token())
    verifier.close()
    wait_until(lambda: not threads(), "the end of the thread")
    clock.advance(STALE)
    assert code_of(verifier, issuer.token()) == "revocations_unavailable"
    assert threads() == []


def test_a_verifier_that_nobody_holds_stops_by_itself(issuer: Issuer) -> None:
    issuer.seconds = time.time
    source = FeedSource(f"{issuer.url}/oauth/revocations", issuer.url, write_basic(CLIENT_ID, CLIENT_SECRET))
    verifier: Verifier | None = Verifier(
        issuer.url, AUDIENCE, revocations=FeedFollower(source, leeway=30, poll_interval=0.02), clock=ManualClock()
    )
    assert verifier is not None
    verifier.verify(issuer.token())
    assert threads()
    verifier = None
    gc.collect()
    wait_until(lambda: not threads(), "the end of the thread")


def test_many_threads_share_one_follower(make: Make, issuer: Issuer) -> None:
    """Started once, whoever comes first; and each sees what is revoked."""
    wait_until(lambda: not threads(), "the end of earlier threads")
    verifier = make()
    tokens = [issuer.token(jti=str(number)) for number in range(8)]
    together = threading.Barrier(len(tokens))
    said: list[tuple[str | None, str | None]] = []

    def use(token: str) -> None:
        together.wait(20)
        before = code_of(verifier, token)
        together.wait(20)
        issuer.feed.add(TokenEntry(json.loads(base64url.decode(token.split(".")[1]))["jti"], NOW))
        wait_until(lambda: code_of(verifier, token) is not None, "the revocation")
        said.append((before, code_of(verifier, token)))

    workers = [threading.Thread(target=use, args=(token,)) for token in tokens]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    assert said == [(None, "token_revoked")] * len(tokens)
    assert len(threads()) == 1


@time_limit(60)
def test_a_forked_process_follows_by_itself(make: Make, issuer: Issuer, clock: ManualClock) -> None:
    """As under a server that forks its workers after loading the application."""
    verifier, token = make(), issuer.token()
    verifier.verify(token)
    told, tell = socket.socketpair()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that forking with threads is delicate is the point here
        child = os.fork()
    if child == 0:
        status = 1
        try:
            clock.advance(timedelta(seconds=5))
            verifier.verify(token)  # starts the thread of this process
            tell.sendall(b"1")
            wait_until(lambda: code_of(verifier, token) == "token_revoked", "the revocation")
            status = 0
        finally:
            os._exit(status)
    assert told.recv(1) == b"1"
    issuer.feed.add(TokenEntry("token-1", NOW))
    assert os.waitpid(child, 0)[1] == 0
    told.close()
    tell.close()
    becomes(verifier, token, "token_revoked")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"poll_interval": 0}, "poll_interval"),
        ({"poll_interval": 10}, "maximum_staleness"),
        ({"maximum_staleness": math.inf}, "maximum_staleness"),
        ({"maximum_staleness": math.nan}, "maximum_staleness"),
        ({"when_stale": "introspect", "introspector": None}, "introspector"),
        ({"when_stale": "hope"}, "when_stale"),
    ],
)
def test_a_wrong_setting_is_refused_at_once(settings: dict[str, Any], message: str) -> None:
    source = FeedSource("https://auth.example/f", "https://auth.example", write_basic("a", "b"))
    with pytest.raises(ValueError, match=message):
        FeedFollower(source, leeway=30, **settings)
