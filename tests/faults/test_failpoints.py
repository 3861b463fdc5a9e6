"""The Nth statement fails, for N = 1, 2, 3 … until the use case passes (fault experiments F1, F2; SQLite's own habit).

After each failure all of it has happened or nothing, and whoever repeats his request goes on: with the old refresh
token or with the new one, never with none, never with two.
"""

from collections.abc import Callable
from datetime import timedelta
from itertools import count
from typing import TypeVar

import pytest
from sqlalchemy import func, select

from authserver.authentication.bearer import Bearer, authenticate_bearer
from authserver.authentication.sign_out import sign_out, sign_out_everywhere
from authserver.protocol.audit_name import AuditName
from authserver.realm import Realm
from authserver.records.failures import StorageUnavailableError
from authserver.storage.schema import AuditEvent, RefreshTokenFamily, Session
from authserver.tokens.token_answer import TokenAnswer
from tests.support.faults.failpoints import Fault, failing, prepare
from tests.support.people.refreshing import IP, open_device, refresh, refreshed, refused, rotated
from tests.support.world.clock import ManualClock
from tests.support.world.realm import add_user

T = TypeVar("T")


@pytest.fixture
def faults(realm: Realm) -> tuple[Fault, ...]:
    """The faults of this database; there is a user."""
    add_user(realm)
    return prepare(realm.database)


def fail_everywhere(
    faults: tuple[Fault, ...], begin: Callable[[], T], act: Callable[[T], object], check: Callable[[T], None]
) -> None:
    """For each fault and each N: begin, act while the Nth statement fails, check."""
    for fault in faults:
        for at in count(1):
            begun = begin()
            with failing(at, fault) as failpoint:
                try:
                    act(begun)
                except StorageUnavailableError:  # a 503: nothing else may come of it
                    assert failpoint.tripped
            if not failpoint.tripped:
                assert at > 1, "nothing was asked of the database"
                break
            check(begun)


def assert_one_successor(realm: Realm, clock: ManualClock, old: str) -> None:
    """Shown as often as one likes, the old token gives one successor, which is good; there is no other branch."""
    (successor,) = {refreshed(realm, old).refresh_token for _ in range(2)}
    generation = load_generation(realm)
    assert successor != old
    rotated(realm, clock, successor)
    assert load_generation(realm) == generation + 1


def load_generation(realm: Realm) -> int:
    """Of the only family that lives."""
    with realm.database.read() as tx:
        generation: int = tx.execute(
            select(RefreshTokenFamily.generation).where(RefreshTokenFamily.ended_at.is_(None))
        ).scalar_one()
    return generation


def count_ends(realm: Realm, sid: str, event: AuditName) -> tuple[int, int, int]:
    """How often the session, its families, and the books say that it is over."""
    with realm.database.read() as tx:
        sessions, families, audited = (
            int(tx.execute(select(func.count()).where(*which)).scalar_one())
            for which in (
                (Session.sid == sid, Session.ended_at.is_not(None)),
                (RefreshTokenFamily.sid == sid, RefreshTokenFamily.ended_at.is_not(None)),
                (AuditEvent.sid == sid, AuditEvent.name == event),
            )
        )
    return sessions, families, audited


def count_audited(realm: Realm, event: AuditName) -> int:
    with realm.database.read() as tx:
        return int(tx.execute(select(func.count()).where(AuditEvent.name == event)).scalar_one())


def test_a_refresh_that_fails_anywhere_can_be_repeated(
    realm: Realm, faults: tuple[Fault, ...], clock: ManualClock
) -> None:
    def begin() -> str:
        return open_device(realm, "phone").refresh_token

    fail_everywhere(
        faults, begin, act=lambda old: refresh(realm, old), check=lambda old: assert_one_successor(realm, clock, old)
    )


def test_a_retry_that_fails_anywhere_can_be_repeated(
    realm: Realm, faults: tuple[Fault, ...], clock: ManualClock
) -> None:
    """The first answer was lost, however it was, and now this."""
    for first in faults:

        def begin(first: Fault = first) -> str:
            old = open_device(realm, "phone").refresh_token
            with failing(1, first), pytest.raises(StorageUnavailableError):
                refresh(realm, old)
            return old

        fail_everywhere(
            faults,
            begin,
            act=lambda old: refresh(realm, old),
            check=lambda old: assert_one_successor(realm, clock, old),
        )


def test_a_late_retry_that_fails_anywhere_is_recorded_once(
    realm: Realm, faults: tuple[Fault, ...], clock: ManualClock
) -> None:
    recorded = 0

    def begin() -> str:
        nonlocal recorded
        recorded = count_audited(realm, AuditName.TOKEN_LATE_RETRY)
        old = open_device(realm, "phone").refresh_token
        refreshed(realm, old)
        clock.advance(timedelta(hours=1))
        return old

    def check(old: str) -> None:
        assert_one_successor(realm, clock, old)
        assert count_audited(realm, AuditName.TOKEN_LATE_RETRY) == recorded + 1

    fail_everywhere(faults, begin, act=lambda old: refresh(realm, old), check=check)


def test_reuse_whose_revocation_fails_anywhere_is_found_again(
    realm: Realm, faults: tuple[Fault, ...], clock: ManualClock
) -> None:
    """The session is over with its family and in the books, or it is not; and then the next reuse ends it."""

    def begin() -> tuple[str, TokenAnswer]:
        stolen = open_device(realm, "phone").refresh_token
        return stolen, rotated(realm, clock, refreshed(realm, stolen).refresh_token)

    def check(begun: tuple[str, TokenAnswer]) -> None:
        stolen, owner = begun
        assert count_ends(realm, owner.sid, AuditName.TOKEN_REUSE) in {(0, 0, 0), (1, 1, 1)}
        refused(realm, stolen)
        assert count_ends(realm, owner.sid, AuditName.TOKEN_REUSE) == (1, 1, 1)
        refused(realm, owner.refresh_token)

    fail_everywhere(faults, begin, act=lambda begun: refresh(realm, begun[0]), check=check)


def test_a_sign_in_that_fails_anywhere_leaves_one_session_on_the_device(
    realm: Realm, faults: tuple[Fault, ...], clock: ManualClock
) -> None:
    """The earlier one, or the new one: never none, never both."""

    def check(earlier: TokenAnswer) -> None:
        with realm.database.read() as tx:
            sid = tx.execute(select(Session.sid).where(Session.ended_at.is_(None))).scalar_one()
        load_generation(realm)
        if sid == earlier.sid:
            assert_one_successor(realm, clock, earlier.refresh_token)
        else:
            refused(realm, earlier.refresh_token)
        assert_one_successor(realm, clock, open_device(realm, "phone").refresh_token)

    fail_everywhere(
        faults,
        begin=lambda: open_device(realm, "phone"),
        act=lambda _: open_device(realm, "phone"),
        check=check,
    )


def test_a_sign_out_that_fails_anywhere_is_whole_or_not_at_all(realm: Realm, faults: tuple[Fault, ...]) -> None:
    def act(device: TokenAnswer) -> None:
        bearer = authenticate_bearer(realm, device.access_token)
        if isinstance(bearer, Bearer):
            sign_out(realm, bearer, IP)

    def check(device: TokenAnswer) -> None:
        assert count_ends(realm, device.sid, AuditName.SESSION_LOGOUT) in {(0, 0, 0), (1, 1, 1)}
        act(device)
        assert count_ends(realm, device.sid, AuditName.SESSION_LOGOUT) == (1, 1, 1)
        refused(realm, device.refresh_token)

    fail_everywhere(faults, begin=lambda: open_device(realm, "phone"), act=act, check=check)


def test_a_sign_out_everywhere_that_fails_anywhere_reaches_all_or_none(realm: Realm, faults: tuple[Fault, ...]) -> None:
    def begin() -> list[TokenAnswer]:
        return [open_device(realm, "phone"), open_device(realm, "laptop")]

    def act(devices: list[TokenAnswer]) -> None:
        bearer = authenticate_bearer(realm, devices[0].access_token)
        if isinstance(bearer, Bearer):
            sign_out_everywhere(realm, bearer, IP)

    def check(devices: list[TokenAnswer]) -> None:
        ends = {count_ends(realm, device.sid, AuditName.SESSION_LOGOUT)[:2] for device in devices}
        assert ends in ({(0, 0)}, {(1, 1)})
        act(devices)
        assert {count_ends(realm, device.sid, AuditName.SESSION_LOGOUT)[:2] for device in devices} == {(1, 1)}

    fail_everywhere(faults, begin, act, check)
