"""The consequences of every act: all of them or nothing, from one tuple."""

from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path
from typing import Any, get_args

import pytest
from sqlalchemy import select

from authserver.credentials.events import MfaChanged, PasswordReset, SigningKeyCompromised
from authserver.realm import Realm
from authserver.records.family import Family
from authserver.revocation import Revocation, consequences
from authserver.revocation.consequences import CONSEQUENCES
from authserver.revocation.done import (
    ClientDeleted,
    ClientEnabled,
    Done,
    EventApplied,
    FamilyEnded,
    RetriedLate,
    SessionReplaced,
    TokenRevoked,
)
from authserver.storage import Transaction, clients, families
from authserver.storage.schema import AuditEvent, Base, FeedEntry, QueuedDelivery
from tests.support.people.person import BY, Person
from tests.support.people.relying_party import register_app

NODES_OF_IT_ALL = {"nodes", "clock_mark"}


class World:
    """A user with two devices, and a client."""

    def __init__(self, realm: Realm) -> None:
        self.realm = realm
        self.now = realm.clock.now()
        self.person = Person(realm)
        self.answer = self.person.sign_in("laptop")
        self.person.sign_in("phone")
        self.claims = self.person.bearer(self.answer).claims
        self.app = register_app(realm, "App").client_id
        self.context: Mapping[str, Any] = {"by": BY, "now": self.now}

    def family(self, tx: Transaction) -> Family:
        held = families.list_of_client(tx, self.person.user_id, self.person.client_id)
        return next(family for family in held if family.granted.sid == self.answer.sid)


Act = Callable[[World, Revocation, Transaction], object]


def apply_reset(world: World, revocation: Revocation, tx: Transaction) -> None:
    revocation.apply(tx, PasswordReset(world.person.user_id, world.person.email, "a hash"), **world.context)


def apply_change(world: World, revocation: Revocation, tx: Transaction) -> None:
    revocation.apply(tx, MfaChanged(world.person.user_id), current=world.answer.sid, **world.context)


def apply_to_key(world: World, revocation: Revocation, tx: Transaction) -> None:
    revocation.apply(tx, SigningKeyCompromised("kid"), **world.context)


def replace(world: World, revocation: Revocation, tx: Transaction) -> None:
    revocation.end_session(tx, world.person.user_id, world.answer.sid, reason="test", **world.context)


def end_family(world: World, revocation: Revocation, tx: Transaction) -> None:
    revocation.end_family(tx, world.family(tx), reason="test", soft_logout=False, **world.context)


def retry_late(world: World, revocation: Revocation, tx: Transaction) -> None:
    revocation.note_late_retry(tx, world.family(tx), **world.context)


def end_token(world: World, revocation: Revocation, tx: Transaction) -> None:
    revocation.end_token(tx, world.claims, **world.context)


def enable(world: World, revocation: Revocation, tx: Transaction) -> None:
    clients.disable(tx, world.app, world.now)
    revocation.enable_client(tx, world.app, ["fam-1", "fam-2"], **world.context)


def delete(world: World, revocation: Revocation, tx: Transaction) -> None:
    clients.disable(tx, world.app, world.now)
    revocation.delete_client(tx, world.app, **world.context)


Trace = tuple[list[str], list[str], list[str]]
"""Kinds of feed entries in their order, names of audit records, kinds of deliveries."""

ACTS: Mapping[Act, tuple[type[Done], Trace]] = {
    apply_reset: (EventApplied, (["user", "session", "session"], ["authn_password_change"], ["mail"])),
    apply_change: (EventApplied, (["user", "session"], ["authn_factor_change"], ["mail"])),
    apply_to_key: (EventApplied, (["key"], ["signing_key_compromised"], [])),
    replace: (SessionReplaced, (["session"], ["session_replaced"], [])),
    end_family: (FamilyEnded, (["family"], ["authn_token_revoked"], [])),
    retry_late: (RetriedLate, ([], ["authn_token_late_retry"], [])),
    end_token: (TokenRevoked, (["token"], ["authn_token_revoked"], [])),
    enable: (ClientEnabled, (["family", "family", "client"], ["client_enabled"], [])),
    delete: (ClientDeleted, ([], ["client_deleted"], [])),
}


def dump(realm: Realm) -> Mapping[str, list[str]]:
    """Read all rows of all tables."""
    with realm.database.read() as tx:
        tables = [table for table in Base.metadata.sorted_tables if table.name not in NODES_OF_IT_ALL]
        return {table.name: sorted(map(repr, tx.execute(select(table)))) for table in tables}


def trace(realm: Realm, since: Mapping[str, list[str]]) -> Trace:
    """Find the feed entries, audit records and deliveries that were added since the dump `since`."""
    with realm.database.read() as tx:
        position = len(since[FeedEntry.__tablename__])
        feed = select(FeedEntry.kind).order_by(FeedEntry.position).offset(position)
        known = set(since[AuditEvent.__tablename__])
        records = [row.name for row in tx.execute(select(AuditEvent.__table__)) if repr(row) not in known]
        return (
            list(tx.execute(feed).scalars()),
            records,
            list(tx.execute(select(QueuedDelivery.kind)).scalars()),
        )


def test_every_kind_of_done_is_tested() -> None:
    assert {done for done, _ in ACTS.values()} == set(get_args(Done))


class BrokenWorldError(Exception):
    """Raised in the middle of an act."""


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__)
def test_an_act_has_all_its_consequences_or_is_rolled_back(realm: Realm, act: Act) -> None:
    """Each consequence fails once, because randomness runs out after the first id, then after the second, and so on."""
    world = World(realm)
    before = dump(realm)
    for enough in count():
        left = count(1)

        def entropy(size: int, enough: int = enough, left: "count[int]" = left) -> bytes:
            if next(left) > enough:
                raise BrokenWorldError
            return realm.entropy(size)

        failing = Revocation(realm.revocation.policy, realm.revocation.access_token_lifetime, entropy)
        try:
            with realm.database.write() as tx:
                act(world, failing, tx)
        except BrokenWorldError:
            assert dump(realm) == before
        else:
            break
    followed = trace(realm, before)
    assert followed == ACTS[act][1]
    assert enough >= sum(map(len, followed)), "each of them has failed once"


def test_a_consequence_is_one_file_and_one_line() -> None:
    """The feed is the first of them, but is written last of all (`authserver/storage/last.py`)."""
    folder = Path(str(consequences.__file__)).parent
    files = {f"{consequences.__name__}.{file.stem}" for file in folder.glob("*.py") if file.stem != "__init__"}
    assert {consequence.__module__ for consequence in CONSEQUENCES} == files
    names = [consequence.__name__ for consequence in CONSEQUENCES]
    assert names == ["publish", "record", "queue_mails", "queue_logout_tokens"]
