"""Many at once for one thing (design §5): one link, one device, one cap, one old token, one pool of connections."""

from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import func, select

from authserver.account.change_password import PasswordWasChanged
from authserver.protocol.audit_name import AuditName
from authserver.protocol.oauth_error import OAuthError
from authserver.realm import Realm
from authserver.realm.outcomes import INVALID_LINK, Refused
from authserver.records.link import LinkPurpose
from authserver.revocation import Receipt
from authserver.storage.schema import AuditEvent
from authserver.tokens.token_answer import TokenAnswer
from tests.support.faults.racing import Duel, fight, race
from tests.support.people.person import Person
from tests.support.people.refreshing import refresh
from tests.support.world.clock import ManualClock
from tests.support.world.realm import LIFETIMES

pytestmark = pytest.mark.races
THREADS = 16


def test_a_reset_link_works_once(crowded: Realm, rounds: int) -> None:
    """F9: one link, 16 threads, one success, one bump."""
    for _ in range(rounds // 5):
        person = Person(crowded)
        mine, link = person.sign_in(), person.add_link(LinkPurpose.RESET_PASSWORD)
        passwords = [f"passphrase number {n} of many" for n in range(THREADS)]
        outcomes = race(*(partial(person.reset, link, password) for password in passwords))
        (winner,) = [n for n, outcome in enumerate(outcomes) if isinstance(outcome, Receipt)]
        assert {outcome.code for outcome in outcomes if isinstance(outcome, Refused)} == {INVALID_LINK}
        assert person.row.token_version == outcomes[winner].token_version == 2
        person.assert_dead(mine)
        person.assert_only_alive(person.sign_in(password=passwords[winner]))


def test_one_use_of_a_reset_link_kills_the_others(crowded: Realm, rounds: int) -> None:
    def prepare() -> Duel:
        person = Person(crowded)
        links = [person.add_link(LinkPurpose.RESET_PASSWORD) for _ in range(3)]

        def check(*outcomes: Receipt | Refused) -> None:
            assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Receipt", "Refused"]
            assert person.row.token_version == 2
            assert isinstance(person.reset(links[2]), Refused)

        # Different passwords: the second would be told that the first one's is the current password.
        return Duel((lambda: person.reset(links[0]), lambda: person.reset(links[1], "another passphrase again")), check)

    fight(prepare, rounds)


def test_signing_in_on_one_device_at_once_leaves_one_session(crowded: Realm, rounds: int) -> None:
    """One live session per device id (Matrix): everybody gets in, the last one stays."""
    for _ in range(rounds // 5):
        person = Person(crowded)
        answers = race(*[partial(person.sign_in, "phone")] * THREADS)
        live = person.live_sids()
        (last,) = [answer for answer in answers if answer.sid in live]
        person.assert_dead(*(answer for answer in answers if answer is not last))
        person.assert_only_alive(last)


def test_signing_in_on_many_devices_at_once_keeps_the_cap(crowded: Realm, rounds: int) -> None:
    realm = replace(crowded, lifetimes=replace(LIFETIMES, max_sessions_per_user=3))
    for _ in range(rounds // 5):
        person = Person(realm)
        answers = race(*[person.sign_in] * THREADS)
        sids = person.live_sids()
        live = [answer for answer in answers if answer.sid in sids]
        assert len(live) == 3
        person.assert_dead(*(answer for answer in answers if answer not in live))
        person.assert_only_alive(*live)


def test_late_retries_at_once_get_the_same_successor_and_are_recorded_once(
    crowded: Realm, clock: ManualClock, rounds: int
) -> None:
    for turn in range(rounds // 5):
        person = Person(crowded)
        first = person.sign_in()
        successor = person.refresh(first)
        assert isinstance(successor, TokenAnswer)
        clock.advance(timedelta(hours=1))
        answers = race(*[partial(person.refresh, first)] * THREADS)
        assert {answer.refresh_token for answer in answers} == {successor.refresh_token}
        with crowded.database.read() as tx:
            recorded = tx.execute(
                select(func.count()).select_from(AuditEvent).where(AuditEvent.name == AuditName.TOKEN_LATE_RETRY)
            ).scalar_one()
        assert recorded == turn + 1
        person.assert_only_alive(successor)


def test_a_late_retry_beside_the_use_of_its_successor_is_answered_or_ends_the_session(
    crowded: Realm, rounds: int
) -> None:
    """Never both: a successor that somebody has used makes its predecessor reuse."""
    windows = replace(LIFETIMES.retry_windows, retry_window=timedelta(0))
    late = replace(crowded, lifetimes=replace(LIFETIMES, retry_windows=windows))

    def prepare() -> Duel:
        person = Person(crowded)
        first = person.sign_in()
        successor = person.refresh(first)
        assert isinstance(successor, TokenAnswer)

        def retry() -> TokenAnswer | OAuthError:
            return refresh(late, first.refresh_token)

        def check(retried: TokenAnswer | OAuthError, used: TokenAnswer | OAuthError) -> None:
            assert isinstance(used, TokenAnswer), "the rightful use never fails by itself"
            if isinstance(retried, TokenAnswer):
                assert retried.refresh_token == successor.refresh_token
                person.assert_only_alive(used)
            else:
                person.assert_dead(used)
                person.assert_only_alive()

        return Duel((retry, lambda: person.refresh(successor)), check)

    fight(prepare, rounds // 5)


def test_changes_of_one_password_at_once_do_not_wait_for_connections_that_they_hold(
    crowded: Realm, clock: ManualClock
) -> None:
    """A use case that asks for a second connection inside its transaction starves a pool full of its own kind."""
    person = Person(crowded)
    bearers = [person.bearer(person.sign_in()) for _ in range(THREADS)]
    clock.advance(timedelta(seconds=10))  # the client records in memory are too old now
    outcomes = race(*(partial(person.change_password, bearer) for bearer in bearers))
    assert sum(isinstance(outcome, PasswordWasChanged) for outcome in outcomes) == 1
