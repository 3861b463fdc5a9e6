"""The check of the races finds the mistake that it was made for: a sign-in without a lock (design §5)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, literal, select

from authserver.account.change_password import PasswordWasChanged
from authserver.protocol.entropy import new_id
from authserver.realm import Realm
from authserver.storage import Transaction, users
from authserver.storage.schema import Session, User
from tests.support.faults.racing import Duel, fight
from tests.support.people.person import Person

pytestmark = pytest.mark.races


def test_comparing_the_version_before_inserting_leaves_a_session_after_a_change(crowded: Realm) -> None:
    """Read, compare, write: what changes in between is overlooked on every engine."""

    def sign_in(person: Person, verified: int) -> None:
        with crowded.database.read() as tx:
            unchanged = users.load(tx, person.user_id).credential_version == verified
        if unchanged:
            with crowded.database.write() as tx:
                _insert_session(tx, person, verified, compare=False)

    with pytest.raises(AssertionError, match="outlives the change"):
        _fight_a_change(crowded, sign_in)


def test_comparing_the_version_while_inserting_is_not_enough_where_writers_run_side_by_side(crowded: Realm) -> None:
    """One conditional INSERT reads the old version while the change is not committed, and both commit.

    SQLite has one writer at a time, so there it is enough.
    """

    def sign_in(person: Person, verified: int) -> None:
        with crowded.database.write() as tx:
            _insert_session(tx, person, verified, compare=True)

    if crowded.database.dialect == "sqlite":
        _fight_a_change(crowded, sign_in)
        return
    with pytest.raises(AssertionError, match="outlives the change"):
        _fight_a_change(crowded, sign_in)


def test_the_same_statement_under_the_users_lock_passes_the_same_check(crowded: Realm) -> None:
    def sign_in(person: Person, verified: int) -> None:
        with crowded.database.write() as tx:
            users.lock(tx, person.user_id)
            _insert_session(tx, person, verified, compare=True)

    _fight_a_change(crowded, sign_in)


def _fight_a_change(realm: Realm, sign_in: Callable[[Person, int], None]) -> None:
    def prepare() -> Duel:
        person = Person(realm)
        bearer, verified = person.bearer(person.sign_in()), person.row.credential_version

        def check(_nothing: None, changed: PasswordWasChanged) -> None:
            with realm.database.read() as tx:
                live = set(
                    tx.execute(
                        select(Session.sid).where(Session.user_id == person.user_id, Session.ended_at.is_(None))
                    ).scalars()
                )
            assert live == {changed.tokens.sid}, "a session outlives the change"

        return Duel((lambda: sign_in(person, verified), lambda: person.change_password(bearer)), check)

    fight(prepare, rounds=0)


def _insert_session(tx: Transaction, person: Person, verified: int, *, compare: bool) -> None:
    realm = person.realm
    now, sid = realm.clock.now(), new_id(realm.entropy)
    values: dict[str, Any] = {
        "sid": sid,
        "user_id": person.user_id,
        "device_id": sid,
        "device_name": "",
        "client_id": person.client_id,
        "ip": "",
        "user_agent": "",
        "created_at": now,
        "expires_at": now + timedelta(days=90),
        "auth_time": now,
        "amr": "pwd",
        "acr": "",
    }
    row = {name: literal(value, Session.__table__.c[name].type) for name, value in values.items()}
    source = select(*row.values())
    if compare:
        source = source.where(
            select(User.user_id).where(User.user_id == person.user_id, User.credential_version == verified).exists()
        )
    tx.execute(insert(Session).from_select(list(row), source))
