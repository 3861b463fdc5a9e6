"""The refresh story on both databases (design §4)."""

import dataclasses
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from authserver.clients.client_standing import disable_client, enable_client
from authserver.clients.register_client import (
    FIRST_PARTY_CLIENT_ID,
    ClientRegistration,
    RegisteredClient,
    register_client,
)
from authserver.protocol.client_metadata import ClientKind
from authserver.protocol.oauth_error import OAuthError
from authserver.protocol.refresh_token import PREFIX, RefreshToken
from authserver.realm import Realm
from authserver.records.audit import Actor
from authserver.records.family import Family, LateRetryMark
from authserver.sessions.rotation import Presented
from authserver.storage import families
from authserver.storage.schema import AuditEvent, Client, RefreshTokenFamily, Session, User
from authserver.tokens.allowance import find_allowance
from authserver.tokens.proof import prove_refresh_token
from authserver.tokens.token_answer import RestingAnswer, TokenAnswer
from tests.support.people.refreshing import REST, open_device, refresh, refreshed, refused, rotated
from tests.support.world.clock import ManualClock
from tests.support.world.entropy import SeededEntropy
from tests.support.world.realm import add_user, build_keys, build_realm

Recording = Callable[[], AbstractContextManager[list[str]]]


@pytest.fixture(autouse=True)
def user_id(realm: Realm) -> str:
    """The user of every test here."""
    return add_user(realm)


def test_a_refresh_is_one_statement(realm: Realm, clock: ManualClock, recording: Recording) -> None:
    """The hot path asks the database once: no look before, no transaction around it."""
    token = refreshed(realm, open_device(realm).refresh_token).refresh_token
    clock.advance(REST)
    realm.clients.find(FIRST_PARTY_CLIENT_ID)  # its record in memory was older than the rest
    with recording() as statements:
        refreshed(realm, token)
    assert len(statements) == 1, statements
    assert statements[0].startswith("UPDATE refresh_token_families")


def test_a_refresh_that_names_a_scope_is_one_statement(realm: Realm, recording: Recording) -> None:
    token = open_device(realm).refresh_token
    with recording() as statements:
        answer = refresh(realm, token, scope="openid email")
    assert isinstance(answer, TokenAnswer)
    assert answer.scope == "openid email"
    assert len(statements) == 1, statements


def test_the_tables_do_not_grow_with_refreshes(realm: Realm, clock: ManualClock) -> None:
    token = open_device(realm).refresh_token
    before = _row_counts(realm)
    for _ in range(1000):
        token = rotated(realm, clock, token).refresh_token
    assert _row_counts(realm) == before


def test_the_answer_carries_the_version_and_roles_of_its_own_user(realm: Realm) -> None:
    """SQLAlchemy drops table names in SQLite's RETURNING: a sub-select could read somebody else's version."""
    add_user(realm, "zoe@example.test", roles=("admin",))
    add_user(realm, "abe@example.test", roles=("admin",))
    with realm.database.write() as tx:
        tx.execute(update(User).where(User.email != "ada@example.test").values(token_version=7))
    token = open_device(realm).refresh_token
    family, client = _the_family(realm, token), realm.clients.find(FIRST_PARTY_CLIENT_ID)
    assert client is not None
    rotated = realm.rotation.rotate(
        family_id=family.family_id,
        presented=Presented(1, FIRST_PARTY_CLIENT_ID, find_allowance(realm, client)),
        mac_kid=family.mac_kid,
        now=realm.clock.now(),
        idle_expires_at=realm.clock.now() + timedelta(days=1),
        rests_until=None,
    )
    assert rotated is not None
    assert (rotated.token_version, rotated.roles) == (1, ())


def test_a_lost_answer_is_given_again(realm: Realm, clock: ManualClock) -> None:
    """The same successor, any number of times inside the retry window, and a fresh access token each time."""
    first = open_device(realm).refresh_token
    answers = [refreshed(realm, first)]
    clock.advance(timedelta(seconds=59))
    answers += [refreshed(realm, first) for _ in range(3)]
    assert len({answer.refresh_token for answer in answers}) == 1
    assert len({answer.access_token for answer in answers}) == len(answers)


def test_a_retry_after_a_mac_key_rotation_gives_the_same_successor(
    realm: Realm, clock: ManualClock, entropy: SeededEntropy
) -> None:
    first = open_device(realm).refresh_token
    successor = refreshed(realm, first).refresh_token
    old = realm.keyring.current
    new = build_keys(clock, entropy)
    merged = dataclasses.replace(new, _mac_keys={**old._mac_keys, **new._mac_keys})
    realm.keyring._current = merged
    assert refreshed(realm, first).refresh_token == successor
    assert refreshed(realm, successor).refresh_token == successor, "it rests"
    assert rotated(realm, clock, successor).refresh_token != successor


def test_a_late_retry_is_answered_once_and_recorded(realm: Realm, clock: ManualClock) -> None:
    first = open_device(realm).refresh_token
    successor = refreshed(realm, first).refresh_token
    clock.advance(timedelta(hours=5))
    assert refreshed(realm, first).refresh_token == successor
    assert _audited(realm) == ["authn_token_late_retry"]
    clock.advance(timedelta(seconds=30))
    assert refreshed(realm, first).refresh_token == successor, "its own answer can be lost, too"
    assert _audited(realm) == ["authn_token_late_retry"]
    assert refreshed(realm, successor).refresh_token == successor, "a late retry begins a rest, too"
    clock.advance(REST - timedelta(seconds=31))
    assert refreshed(realm, successor).refresh_token == successor
    clock.advance(timedelta(seconds=1))
    assert refreshed(realm, successor).refresh_token != successor


def test_a_second_late_retry_in_one_generation_ends_the_family_softly(realm: Realm, clock: ManualClock) -> None:
    first = open_device(realm).refresh_token
    successor = refreshed(realm, first).refresh_token
    clock.advance(timedelta(hours=1))
    refreshed(realm, first)
    clock.advance(timedelta(hours=1))
    assert refused(realm, first).soft_logout is True
    assert refused(realm, successor).error == "invalid_grant"


def test_a_late_retry_in_two_consecutive_generations_ends_the_session(realm: Realm, clock: ManualClock) -> None:
    """Thief and owner share a family at leisure: it is dead by the second generation."""
    stolen = open_device(realm).refresh_token
    owner = refreshed(realm, stolen).refresh_token
    clock.advance(timedelta(hours=1))
    thief = refreshed(realm, stolen).refresh_token
    assert thief == owner
    owner = rotated(realm, clock, owner).refresh_token
    clock.advance(timedelta(hours=1))
    assert refused(realm, thief).soft_logout is False
    assert refused(realm, owner).error == "invalid_grant"
    assert "authn_token_reuse" in _audited(realm)


def test_a_predecessor_after_every_window_ends_the_family_softly(realm: Realm, clock: ManualClock) -> None:
    first = open_device(realm).refresh_token
    successor = refreshed(realm, first).refresh_token
    clock.advance(timedelta(hours=24))
    assert refused(realm, first).soft_logout is True
    assert refused(realm, successor).soft_logout is True


def test_reuse_of_a_past_generation_revokes_the_session_and_no_other(realm: Realm, clock: ManualClock) -> None:
    """The revocation commits although the answer is an error. ASVS 10.4.5, RFC 9700 §2.2.2, §4.14.2."""
    first, other = open_device(realm, "phone").refresh_token, open_device(realm, "laptop").refresh_token
    current = rotated(realm, clock, refreshed(realm, first).refresh_token).refresh_token
    refusal = refused(realm, first)
    assert (refusal.error, refusal.soft_logout) == ("invalid_grant", False)
    assert refused(realm, current).error == "invalid_grant"
    refreshed(realm, other)


def test_a_family_rests_after_a_rotation(realm: Realm, clock: ManualClock, recording: Recording) -> None:
    """Design §4: meanwhile the current token is answered with itself and a fresh access token; nothing is written."""
    opened = open_device(realm)
    current = refreshed(realm, opened.refresh_token)
    before = _the_family(realm, current.refresh_token)
    assert before.rests_until == clock.now() + REST
    clock.advance(REST - timedelta(seconds=1))
    realm.clients.find(FIRST_PARTY_CLIENT_ID)  # its record in memory was older than the rest
    with recording() as statements:
        again = [refreshed(realm, current.refresh_token) for _ in range(3)]
    assert {type(answer) for answer in again} == {RestingAnswer}
    assert {answer.refresh_token for answer in again} == {current.refresh_token}
    assert len({answer.access_token for answer in [current, *again]}) == 4
    assert {answer.refresh_expires_in for answer in again} == {current.refresh_expires_in - 69}, "it does not rise"
    assert [statement.split()[0] for statement in statements] == ["UPDATE", "SELECT"] * 3
    assert _the_family(realm, current.refresh_token) == before
    clock.advance(timedelta(seconds=1))
    rotated_answer = refreshed(realm, current.refresh_token)
    assert type(rotated_answer) is TokenAnswer
    assert rotated_answer.refresh_token != current.refresh_token


def test_who_writes_how_long_a_family_rests(realm: Realm, clock: ManualClock) -> None:
    """Birth: NULL. Rotation and late retry: the clock reading, the window and 10 s. A retry and a rest: nothing."""
    first = open_device(realm).refresh_token
    assert _the_family(realm, first).rests_until is None
    second = refreshed(realm, first).refresh_token
    rotated_at = clock.now()
    clock.advance(timedelta(seconds=30))
    for token in (first, second):
        refreshed(realm, token)
        assert _the_family(realm, token).rests_until == rotated_at + REST
    clock.advance(timedelta(hours=1))
    refreshed(realm, first)
    family = _the_family(realm, first)
    assert (family.rests_until, family.rotated_at) == (clock.now() + REST, rotated_at)
    _set_windows(realm, 0, 86400)
    third = rotated(realm, clock, second).refresh_token
    assert _the_family(realm, first).rests_until is None
    refreshed(realm, third)
    refreshed(realm, third)
    family = _the_family(realm, first)
    assert family.late_retry == LateRetryMark(3, clock.now())
    assert family.rests_until is None


def test_the_retry_window_is_that_of_the_rotation(realm: Realm, clock: ManualClock) -> None:
    """Whatever the client's record says by the time of the retry."""
    first = open_device(realm).refresh_token
    second = refreshed(realm, first).refresh_token
    _set_windows(realm, 0, 0)
    clock.advance(timedelta(seconds=59))
    assert {refreshed(realm, token).refresh_token for token in (first, second)} == {second}
    third = rotated(realm, clock, second).refresh_token
    _set_windows(realm, 60, 0)
    assert refused(realm, second).error == "invalid_grant", "it was rotated without a window"
    assert refused(realm, third).error == "invalid_grant"


def test_three_requests_of_one_browser_in_any_order_end_nothing(realm: Realm, clock: ManualClock) -> None:
    """Deterministic: A refreshes n, C refreshes n + 1, then B's slower request with n arrives."""
    n = open_device(realm).refresh_token
    a = refreshed(realm, n).refresh_token
    clock.advance(timedelta(seconds=5))
    assert refreshed(realm, a).refresh_token == a
    clock.advance(timedelta(seconds=54))
    assert refreshed(realm, n).refresh_token == a
    rotated(realm, clock, a)
    assert _audited(realm) == []


def test_a_late_retry_is_followed_by_a_rest(realm: Realm, clock: ManualClock) -> None:
    """A laptop wakes after a lost answer: one tab repeats n, another goes on with what that brought."""
    n = open_device(realm).refresh_token
    refreshed(realm, n)
    clock.advance(timedelta(hours=3))
    current = refreshed(realm, n).refresh_token
    assert refreshed(realm, current).refresh_token == current
    clock.advance(timedelta(seconds=59))
    assert refreshed(realm, n).refresh_token == current
    rotated(realm, clock, current)
    assert _audited(realm) == ["authn_token_late_retry"]


def test_a_request_that_was_overtaken_here_is_asked_to_come_again_and_ends_nothing(
    realm: Realm, clock: ManualClock
) -> None:
    """It read the clock before the rotation that makes it look like reuse: the server was slow, nobody was a thief."""
    n = open_device(realm).refresh_token
    current = rotated(realm, clock, refreshed(realm, n).refresh_token).refresh_token
    rotated_at = clock.now()
    clock.set_wall(rotated_at - timedelta(microseconds=1))
    assert refused(realm, n).status == 503
    clock.set_wall(rotated_at)
    refreshed(realm, current)
    assert refused(realm, n).error == "invalid_grant"
    assert _audited(realm) == ["authn_token_reuse"]


def test_a_scope_beyond_the_grant_is_refused_while_the_family_rests(realm: Realm) -> None:
    current = refreshed(realm, open_device(realm).refresh_token).refresh_token
    answer = refresh(realm, current, scope="openid nothing")
    assert isinstance(answer, OAuthError)
    assert answer.error == "invalid_scope"
    narrowed = refresh(realm, current, scope="email")
    assert isinstance(narrowed, RestingAnswer)
    assert narrowed.scope == "email"


def test_after_a_rotation_by_the_release_before_a_lost_answer_is_given_again(realm: Realm, clock: ManualClock) -> None:
    """Its nodes serve on during an upgrade and write no rest: what they leave is what the migration's default says."""
    first = open_device(realm).refresh_token
    second = refreshed(realm, first).refresh_token
    with realm.database.write() as tx:
        tx.execute(update(RefreshTokenFamily).values(rests_until=datetime(1970, 1, 1, tzinfo=UTC)))
    clock.advance(timedelta(seconds=59))
    assert refreshed(realm, first).refresh_token == second
    assert _audited(realm) == []
    assert refreshed(realm, second).refresh_token != second


def test_strict_clients_have_no_retry(realm: Realm) -> None:
    """Both windows are per client; zero and zero is strict."""
    first = open_device(realm).refresh_token
    _set_windows(realm, 0, 0)
    current = refreshed(realm, refreshed(realm, first).refresh_token).refresh_token
    assert current != first, "each refresh rotates"
    assert refused(realm, first).error == "invalid_grant"


def test_a_flipped_bit_anywhere_is_refused_without_a_query_and_kills_nothing(
    realm: Realm, recording: Recording
) -> None:
    """Otherwise anyone could log a victim out with a made-up token."""
    token = open_device(realm).refresh_token
    realm.clients.find(FIRST_PARTY_CLIENT_ID)
    with recording() as statements:
        for position in range(len(PREFIX), len(token)):
            for bit in range(6):
                digit = _DIGITS[_DIGITS.index(token[position]) ^ (1 << bit)]
                assert refused(realm, token[:position] + digit + token[position + 1 :]).error == "invalid_grant"
    assert statements == []
    refreshed(realm, token)


def test_another_client_gets_nothing_and_burns_nothing(realm: Realm) -> None:
    """Client binding (OAuth 2.1 §4.3): a wrong client neither revokes nor burns a generation."""
    registered = register_client(
        realm, ClientRegistration("Other", ClientKind.PUBLIC, redirect_uris=("https://app.example/",))
    )
    assert isinstance(registered, RegisteredClient)
    token = open_device(realm).refresh_token
    answer = refresh(realm, token, client_id=registered.client.client_id)
    assert isinstance(answer, OAuthError)
    assert answer.error == "invalid_grant"
    refreshed(realm, token)


def test_a_narrowed_scope_does_not_narrow_the_family(realm: Realm) -> None:
    """OAuth 2.1 §4.3: the new refresh token has the scope of the old one."""
    token = open_device(realm).refresh_token
    narrowed = refresh(realm, token, scope="email")
    assert isinstance(narrowed, TokenAnswer)
    assert narrowed.scope == "email"
    assert refreshed(realm, narrowed.refresh_token).scope == "openid profile email"


@pytest.mark.parametrize("scope", ["nothing", "openid nothing", "OPENID", "open", "openid profile email admin"])
def test_a_wider_scope_is_refused_and_burns_nothing(realm: Realm, scope: str) -> None:
    token = open_device(realm).refresh_token
    answer = refresh(realm, token, scope=scope)
    assert isinstance(answer, OAuthError)
    assert answer.error == "invalid_scope"
    refreshed(realm, token)


def test_an_idle_family_expires_softly(realm: Realm, clock: ManualClock) -> None:
    """ASVS 7.3.1: idle for one second too long."""
    token = open_device(realm).refresh_token
    clock.advance(timedelta(days=7))
    assert refused(realm, token).soft_logout is True


def test_a_family_in_use_still_ends_at_its_absolute_end(realm: Realm, clock: ManualClock) -> None:
    """ASVS 7.3.2, 10.4.8: refresh tokens have an absolute end even when sliding."""
    answer = open_device(realm)
    for _ in range(14):
        clock.advance(timedelta(days=6))
        answer = refreshed(realm, answer.refresh_token)
    assert answer.refresh_expires_in == timedelta(days=6).total_seconds(), "of 7 idle days, 6 are left to the end"
    clock.advance(timedelta(days=6))
    assert refused(realm, answer.refresh_token).soft_logout is True


def test_a_locked_user_is_refused_softly_and_the_same_token_works_after_the_unlock(realm: Realm) -> None:
    token = open_device(realm).refresh_token
    with realm.database.write() as tx:
        tx.execute(update(User).values(locked_at=realm.clock.now()))
    assert refused(realm, token).soft_logout is True
    with realm.database.write() as tx:
        tx.execute(update(User).values(locked_at=None))
    refreshed(realm, token)


def test_families_begun_before_a_disable_stay_dead_when_the_client_is_enabled(realm: Realm) -> None:
    token = open_device(realm).refresh_token
    disable_client(realm, FIRST_PARTY_CLIENT_ID, Actor("cli"))
    assert refused(realm, token).error == "invalid_grant", "the record in memory is seconds old, the statement is not"
    enable_client(realm, FIRST_PARTY_CLIENT_ID)
    realm.clients._cached.clear()
    assert refused(realm, token).error == "invalid_grant"
    refreshed(realm, open_device(realm).refresh_token)


def test_a_disabled_client_opens_no_session_though_its_record_in_memory_is_older(realm: Realm) -> None:
    """Else that family would come alive when the client is enabled again."""
    realm.clients.find(FIRST_PARTY_CLIENT_ID)
    disable_client(realm, FIRST_PARTY_CLIENT_ID, Actor("cli"))
    with pytest.raises(AssertionError, match="unauthorized_client"):
        open_device(realm)


def test_a_generation_ahead_of_the_database_is_refused_softly_and_revokes_nothing(realm: Realm) -> None:
    """After a lossy restore nobody did wrong."""
    first = open_device(realm).refresh_token
    second = refreshed(realm, first).refresh_token
    with realm.database.write() as tx:
        tx.execute(update(RefreshTokenFamily).values(generation=1))
    assert refused(realm, second).soft_logout is True
    refreshed(realm, first)


def test_the_same_device_id_ends_the_earlier_session(realm: Realm) -> None:
    """One live session per device (Matrix)."""
    earlier = open_device(realm, "phone")
    later = open_device(realm, "phone")
    assert refused(realm, earlier.refresh_token).error == "invalid_grant"
    assert later.device_id == "phone"
    refreshed(realm, later.refresh_token)


def test_parallel_uses_of_one_token_give_one_rotation_and_one_successor(
    database_url: str, clock: ManualClock, entropy: SeededEntropy, user_id: str, rounds: int
) -> None:
    """100 threads, fewer connections than threads: no fork, no failure. ASVS 15.4.2."""
    del user_id
    realm = build_realm(database_url, clock, entropy, pool_size=5)
    try:
        with ThreadPoolExecutor(100) as threads:
            for _ in range(max(2, rounds // 25)):
                token = open_device(realm).refresh_token
                start = threading.Barrier(100)

                def use(token: str = token, start: threading.Barrier = start) -> str:
                    start.wait(timeout=30)
                    return refreshed(realm, token).refresh_token

                successors = {future.result(timeout=60) for future in [threads.submit(use) for _ in range(100)]}
                assert len(successors) == 1
                assert _the_family(realm, token).generation == 2
    finally:
        realm.database.dispose()


_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def _the_family(realm: Realm, token: str) -> Family:
    parsed = prove_refresh_token(realm, token)
    assert isinstance(parsed, RefreshToken)
    with realm.database.read() as tx:
        family = families.find(tx, parsed.family_id)
    assert family is not None
    assert realm.rotation.find(parsed.family_id) == family, "the statement at the driver says the same"
    return family


def _row_counts(realm: Realm) -> list[int]:
    with realm.database.read() as tx:
        return [
            tx.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (User, Session, RefreshTokenFamily, AuditEvent)
        ]


def _set_windows(realm: Realm, retry: int, late: int) -> None:
    with realm.database.write() as tx:
        tx.execute(update(Client).values(retry_window=retry, late_retry_window=late))
    realm.clients._cached.clear()


def _audited(realm: Realm) -> list[str]:
    with realm.database.read() as tx:
        return list(tx.execute(select(AuditEvent.name).where(AuditEvent.name.like("authn_token%"))).scalars())
