"""Tabs of one browser that refresh at once, and clients without windows: more threads than connections to the database.

What arrives within the retry window of its token's exchange is served, in whatever order; without a window one of many
is served, and no other.
"""

import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from authserver.clock import SystemClock
from authserver.protocol.oauth_error import OAuthError
from authserver.realm import Realm
from authserver.sessions.lifetimes import RetryWindows
from authserver.storage.schema import AuditEvent, RefreshTokenFamily
from authserver.tokens.token_answer import RestingAnswer, TokenAnswer
from tests.support.faults.racing import PATIENCE
from tests.support.people.refreshing import REST, open_device, refresh, refreshed
from tests.support.world.clock import ManualClock
from tests.support.world.entropy import SeededEntropy
from tests.support.world.realm import LIFETIMES, add_user, build_realm

pytestmark = pytest.mark.races
TABS, CALLS, CONNECTIONS = 5, 2, 3
STRICT = replace(LIFETIMES, retry_windows=RetryWindows(timedelta(0), timedelta(0)))


@pytest.fixture
def crowded(database_url: str, clock: ManualClock, entropy: SeededEntropy) -> Iterator[Realm]:
    realm = build_realm(database_url, clock, entropy, pool_size=CONNECTIONS)
    add_user(realm)
    yield realm
    realm.database.dispose()


@dataclass
class Jar:
    """The cookies of one browser: whichever answer comes last is kept, and a resting family gives none."""

    held: str
    answers: list[TokenAnswer | OAuthError] = field(default_factory=list)

    def refresh(self, realm: Realm, seed: int) -> None:
        """A tab's two calls, each behind a network of its own."""
        chance = random.Random(seed)
        for _ in range(CALLS):
            shown = self.held
            time.sleep(chance.random() / 500)
            answer = refresh(realm, shown)
            time.sleep(chance.random() / 500)
            self.answers.append(answer)
            if isinstance(answer, TokenAnswer) and not isinstance(answer, RestingAnswer):
                self.held = answer.refresh_token


def test_five_tabs_with_two_calls_each_never_end_their_session(crowded: Realm, clock: ManualClock, rounds: int) -> None:
    """Whatever order their requests arrive in; each round is one rotation."""
    jar = Jar(open_device(crowded).refresh_token)
    with ThreadPoolExecutor(TABS) as threads:
        for generation in range(2, 2 + max(10, rounds // 5)):
            jar.answers.clear()
            tabs = [threads.submit(jar.refresh, crowded, generation * TABS + tab) for tab in range(TABS)]
            for tab in tabs:
                tab.result(PATIENCE)
            assert len(jar.answers) == TABS * CALLS
            assert {type(answer) for answer in jar.answers} <= {TokenAnswer, RestingAnswer}
            assert len({answer.refresh_token for answer in jar.answers if isinstance(answer, TokenAnswer)}) == 1
            with crowded.database.read() as tx:
                assert tx.execute(select(RefreshTokenFamily.generation)).scalar_one() == generation
            clock.advance(REST)
    refreshed(crowded, jar.held)
    assert _token_events(crowded) == []


def test_without_windows_one_of_ten_at_once_is_served(database_url: str, entropy: SeededEntropy, rounds: int) -> None:
    """On the machine's clock: a loser that read it before the winner has a negative age, inside nothing."""
    realm = build_realm(database_url, SystemClock(), entropy, pool_size=CONNECTIONS, lifetimes=STRICT)
    add_user(realm)
    at_once = 10
    try:
        with ThreadPoolExecutor(at_once) as threads:
            for _ in range(max(10, rounds // 5)):
                token, start = open_device(realm).refresh_token, threading.Barrier(at_once)

                def use(token: str = token, start: threading.Barrier = start) -> TokenAnswer | OAuthError:
                    start.wait(PATIENCE)
                    return refresh(realm, token)

                answers = [one.result(PATIENCE) for one in [threads.submit(use) for _ in range(at_once)]]
                assert [isinstance(answer, TokenAnswer) for answer in answers].count(True) == 1
                refusals = {answer.error for answer in answers if isinstance(answer, OAuthError)}
                assert refusals == {"invalid_grant"}
    finally:
        realm.database.dispose()


def _token_events(realm: Realm) -> list[str]:
    with realm.database.read() as tx:
        return list(tx.execute(select(AuditEvent.name).where(AuditEvent.name.like("authn_token%"))).scalars())
