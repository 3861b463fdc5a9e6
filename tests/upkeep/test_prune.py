"""Pruning: what is over for good goes, a little at a time; what lives, or may be asked about, stays."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import timedelta
from threading import Barrier

import pytest
import sqlalchemy

from authserver.credentials.events import SignedOut, SignedOutEverywhere
from authserver.protocol.oauth_error import OAuthError
from authserver.realm import Realm
from authserver.records.audit import Actor
from authserver.storage import prune, users
from authserver.storage.proofs import UsedProofs
from authserver.storage.schema import AuditEvent, Base, RefreshTokenFamily, Session, User
from authserver.tokens.token_answer import TokenAnswer
from authserver.trusted_time import Trusted
from authserver.upkeep.prune import Pruned, Pruning, Retention, prune_a_little, prune_all
from tests.support.people.refreshing import open_device, refresh, refreshed
from tests.support.world.clock import ManualClock
from tests.support.world.databases import PostgresDatabases
from tests.support.world.entropy import SeededEntropy
from tests.support.world.realm import add_user, build_realm

YEAR = timedelta(days=365)
KEPT = Retention(audit=YEAR)
RETENTION = KEPT.ends
MOMENT = timedelta(seconds=1)
NOTHING = Pruned(0, 0, 0, None)


@pytest.fixture
def user_id(realm: Realm) -> str:
    return add_user(realm)


def _prune_a_little(realm: Realm) -> Pruned:
    return prune_a_little(realm.database, Trusted(realm.clock.now()), KEPT)


def _prune_all(realm: Realm, retention: Retention = KEPT) -> Pruned:
    return prune_all(realm.database, Trusted(realm.clock.now()), retention)


def _count(realm: Realm, table: type[Base]) -> int:
    with realm.database.read() as tx:
        return tx.execute(sqlalchemy.select(sqlalchemy.func.count()).select_from(table)).scalar_one()


def _sign_out(realm: Realm, user_id: str, session: TokenAnswer) -> None:
    with realm.database.write() as tx:
        realm.revocation.apply(tx, SignedOut(user_id, session.sid), by=Actor("test"), now=realm.clock.now())


def test_live_families_survive_whatever_their_age(realm: Realm, user_id: str, clock: ManualClock) -> None:
    """A session of 89 days that is used every day is as live as a new one."""
    sessions = [open_device(realm) for _ in range(5)]
    for _ in range(89):
        clock.advance(timedelta(days=1))
        sessions = [refreshed(realm, session.refresh_token) for session in sessions]
        _prune_a_little(realm)
    assert _count(realm, RefreshTokenFamily) == _count(realm, Session) == 5
    for session in sessions:
        refreshed(realm, session.refresh_token)


def test_an_ended_family_goes_when_its_end_is_no_longer_asked_about(
    realm: Realm, user_id: str, clock: ManualClock
) -> None:
    """Its refresh token is told to be revoked until then, and is unknown afterwards; both are invalid_grant."""
    ended, kept = open_device(realm), open_device(realm)
    _sign_out(realm, user_id, ended)
    clock.advance(timedelta(days=6))
    kept = refreshed(realm, kept.refresh_token)
    for _ in range(4):
        clock.advance(timedelta(days=6))
        kept = refreshed(realm, kept.refresh_token)
    assert _prune_all(realm) == NOTHING
    assert _refusal(realm, ended) == "revoked"
    clock.advance(MOMENT)
    assert _prune_all(realm) == Pruned(1, 1, 0, None)
    assert _refusal(realm, ended) == "unknown"
    refreshed(realm, kept.refresh_token)


def test_an_idle_family_goes_before_its_session_expires(realm: Realm, user_id: str, clock: ManualClock) -> None:
    """The session stays: it has not ended, and another client may still begin a family in it."""
    open_device(realm)
    clock.advance(realm.lifetimes.refresh_idle_lifetime + RETENTION)
    assert _prune_all(realm) == NOTHING
    clock.advance(MOMENT)
    assert _prune_all(realm) == Pruned(1, 0, 0, None)
    assert _count(realm, Session) == 1


def test_an_expired_session_without_families_goes(realm: Realm, user_id: str, clock: ManualClock) -> None:
    open_device(realm)
    clock.advance(realm.lifetimes.refresh_idle_lifetime + RETENTION + MOMENT)
    _prune_all(realm)
    clock.advance(realm.lifetimes.refresh_absolute_lifetime)
    assert _prune_all(realm) == Pruned(0, 1, 0, None)
    assert _count(realm, Session) == 0


def test_a_session_with_a_family_left_stays(realm: Realm, user_id: str, clock: ManualClock) -> None:
    """Sessions refer to families by cascade: one removed too early would take a family along."""
    session = open_device(realm)
    _sign_out(realm, user_id, session)
    clock.advance(RETENTION + MOMENT)
    with realm.database.write() as tx:
        assert prune.prune_sessions(tx, [session.sid], clock.now()) == 0
    assert _count(realm, RefreshTokenFamily) == _count(realm, Session) == 1


def test_users_and_their_versions_are_never_removed(realm: Realm, user_id: str, clock: ManualClock) -> None:
    """A user who came back after years under a lower version would bring condemned tokens back to life."""
    open_device(realm)
    with realm.database.write() as tx:
        realm.revocation.apply(tx, SignedOutEverywhere(user_id), by=Actor("test"), now=clock.now())
    clock.advance(YEAR * 9)
    _prune_all(realm, Retention(audit=timedelta(days=1)))
    assert [_count(realm, table) for table in (RefreshTokenFamily, Session, AuditEvent, User)] == [0, 0, 0, 1]
    with realm.database.read() as tx:
        assert users.load_token_version(tx, user_id) == 2


def test_audit_events_go_after_their_own_retention(realm: Realm, user_id: str, clock: ManualClock) -> None:
    retention = timedelta(days=10)
    _sign_out(realm, user_id, open_device(realm))
    clock.advance(retention)
    _sign_out(realm, user_id, open_device(realm))
    assert _prune_all(realm, Retention(audit=retention)) == NOTHING
    clock.advance(MOMENT)
    # Client and user came to be, and one sign-in and sign-out; the second pair is younger.
    assert _prune_all(realm, Retention(audit=retention)) == Pruned(0, 0, 4, None)
    assert _count(realm, AuditEvent) == 2


def test_a_step_looks_at_no_more_than_it_may(realm: Realm, user_id: str, clock: ManualClock) -> None:
    """However much is over, one transaction stays short; the caller's place leads to the rest."""
    for _ in range(7):
        _sign_out(realm, user_id, open_device(realm))
    live = open_device(realm)
    clock.advance(timedelta(days=6))
    for _ in range(5):
        live = refreshed(realm, live.refresh_token)
        clock.advance(timedelta(days=6))
    place: bytes | None = prune.START
    gone = []
    while place is not None:
        with realm.database.write() as tx:
            step = prune.prune_families(tx, place, clock.now() - RETENTION, limit=3)
            assert prune.prune_sessions(tx, step.sids, clock.now() - RETENTION, limit=3) == step.count
        assert step.count <= 3
        gone.append(step.count)
        place = step.place
    assert (sum(gone), len(gone)) == (7, 3)
    assert _count(realm, RefreshTokenFamily) == _count(realm, Session) == 1


def test_audit_events_leave_in_batches(realm: Realm, user_id: str, clock: ManualClock) -> None:
    for _ in range(5):
        _sign_out(realm, user_id, open_device(realm))
        clock.advance(MOMENT)
    written = _count(realm, AuditEvent)
    batches = []
    for _ in range(4):
        with realm.database.write() as tx:
            batches.append(prune.prune_audit_events(tx, clock.now(), limit=5))
    assert (batches, sum(batches)) == ([5, 5, 2, 0], written)


@pytest.mark.parametrize("databases", ["postgresql"], indirect=True)
def test_a_step_takes_no_more_than_it_may_whatever_plan_the_database_has(realm: Realm, user_id: str) -> None:
    """PostgreSQL compared each row with the LIMIT anew when its statistics said so, and removed all in one step."""
    for _ in range(9):
        open_device(realm)
    with realm.database.write() as tx:
        for way in ("hashagg", "sort", "indexscan", "bitmapscan", "hashjoin", "mergejoin", "material"):
            tx.exec_driver_sql(f"SET LOCAL enable_{way} = off")
        assert prune.prune_audit_events(tx, realm.clock.now() + MOMENT, limit=2) == 2


def test_all_is_removed_however_many_steps_it_takes(
    realm: Realm, user_id: str, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    families = 23
    for _ in range(families):
        _sign_out(realm, user_id, open_device(realm))
    clock.advance(YEAR * 2)
    for name in ("prune_families", "prune_sessions", "prune_audit_events"):
        monkeypatch.setitem(getattr(prune, name).__kwdefaults__, "limit", 2)
    monkeypatch.setattr("authserver.upkeep.prune.BATCH", 2)
    written = _count(realm, AuditEvent)
    assert _prune_all(realm) == Pruned(families, families, written, None)


def test_a_used_proof_goes_when_nobody_accepts_it_any_more(realm: Realm, clock: ManualClock) -> None:
    """RFC 9449 §11.1: not before, or it could be used again. `jti` x time: the table holds two minutes of requests."""
    proofs = UsedProofs(realm.database)
    for number in range(3):
        assert proofs.use(bytes([number]), clock.now() + timedelta(seconds=90))
    clock.advance(timedelta(seconds=150))
    assert _prune_all(realm) == NOTHING
    assert not proofs.use(b"\0", clock.now())
    clock.advance(MOMENT)
    assert _prune_all(realm).proofs == 3
    assert proofs.use(b"\0", clock.now())


def test_a_step_costs_few_statements(
    realm: Realm, user_id: str, recording: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    """It runs while serving, again and again, and nearly always for nothing."""
    open_device(realm)
    _prune_a_little(realm)
    with recording() as sent:
        _prune_a_little(realm)
    assert len([statement for statement in sent if statement.split()[0] in {"SELECT", "DELETE"}]) == 14


def test_a_row_that_somebody_holds_is_left_for_the_next_time(
    postgresql_databases: PostgresDatabases, clock: ManualClock, entropy: SeededEntropy
) -> None:
    """Pruning waits for nobody, so that it can be part of no deadlock. SQLite has one writer, and no row locks."""
    realm = build_realm(postgresql_databases.migrated(), clock, entropy)
    user_id = add_user(realm)
    _sign_out(realm, user_id, open_device(realm))
    clock.advance(RETENTION + MOMENT)
    with realm.database.write() as tx:
        tx.execute(sqlalchemy.text("SELECT family_id FROM refresh_token_families FOR UPDATE"))
        assert _prune_a_little(realm) == NOTHING
    assert _prune_a_little(realm) == Pruned(1, 1, 0, None)
    realm.database.dispose()
    postgresql_databases.forget()


def test_refreshes_go_on_while_pruning(realm: Realm, user_id: str, clock: ManualClock) -> None:
    """Every refresh is answered with its successor, and what was over is gone in the end."""
    for _ in range(30):
        _sign_out(realm, user_id, open_device(realm))
    clock.advance(RETENTION + MOMENT)
    live = [open_device(realm) for _ in range(4)]
    start = Barrier(len(live) + 1)

    def refresh_often(session: TokenAnswer) -> TokenAnswer:
        start.wait(timeout=30)
        for _ in range(25):
            session = refreshed(realm, session.refresh_token)
        return session

    def prune_often() -> int:
        start.wait(timeout=30)
        pruning = Pruning(realm.database, KEPT)
        return sum(pruning.prune_a_little(Trusted(clock.now())).families for _ in range(25))

    with ThreadPoolExecutor(len(live) + 1) as threads:
        refreshing = [threads.submit(refresh_often, session) for session in live]
        pruning = threads.submit(prune_often)
        assert pruning.result(timeout=60) == 30
        for one in refreshing:
            refreshed(realm, one.result(timeout=60).refresh_token)
    assert _count(realm, RefreshTokenFamily) == len(live)


def test_pruning_and_ending_everything_do_not_deadlock(realm: Realm, user_id: str, clock: ManualClock) -> None:
    """A sign-out ends families that have long been idle, too: the very rows that pruning is after."""
    for _ in range(10):
        for _ in range(5):
            open_device(realm)
        clock.advance(realm.lifetimes.refresh_idle_lifetime + RETENTION + MOMENT)
        start = Barrier(2)

        def end_all(start: Barrier = start) -> None:
            start.wait(timeout=30)
            with realm.database.write() as tx:
                realm.revocation.apply(tx, SignedOutEverywhere(user_id), by=Actor("test"), now=clock.now())

        def prune_once(start: Barrier = start) -> None:
            start.wait(timeout=30)
            _prune_a_little(realm)

        with ThreadPoolExecutor(2) as threads:
            for one in [threads.submit(end_all), threads.submit(prune_once)]:
                one.result(timeout=60)


def _refusal(realm: Realm, session: TokenAnswer) -> str:
    answer = refresh(realm, session.refresh_token)
    assert isinstance(answer, OAuthError)
    assert answer.error == "invalid_grant"
    return "unknown" if "unknown" in answer.reason else "revoked"
