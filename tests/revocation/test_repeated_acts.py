"""A repeated act has no effect: sixteen at once and three more write the entries and records of one.

Otherwise, one permitted act would be enough to fill feed and audit record. Every act is tested on both databases.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import count
from typing import Any

import pytest

from authserver.account.change_email import report_compromise
from authserver.account.connected_apps import disconnect
from authserver.administration.look_up import end_session_of_user
from authserver.administration.manage_user import apply_event, change_roles
from authserver.authentication.sign_out import end_session, sign_out, sign_out_elsewhere, sign_out_everywhere
from authserver.authorization.revoke_token import revoke_token
from authserver.clients.client_standing import disable_client, enable_client
from authserver.credentials import events
from authserver.credentials.events import CredentialEvent
from authserver.keyring.issuer import issue_access_token
from authserver.protocol.claims import ClientToken
from authserver.realm import Realm
from authserver.records.client import Client
from authserver.records.link import LinkPurpose
from authserver.tokens.token_answer import TokenAnswer
from tests.support.faults.racing import race
from tests.support.people import authorizing
from tests.support.people.code_race import Visitor
from tests.support.people.person import BY, Person
from tests.support.people.refreshing import IP
from tests.support.people.relying_party import Browser, register_app
from tests.support.world.clock import ManualClock
from tests.support.world.realm import AUDIENCE, ISSUER

pytestmark = pytest.mark.races
THREADS, MORE = 16, 3
Recording = Callable[[], AbstractContextManager[list[str]]]
_numbers = count()
FIRST_PARTY = "first-party"


@dataclass(frozen=True)
class Trace:
    """The numbers of feed entries and of successful audit records. Refusals have their own limit."""

    entries: int
    records: int

    @classmethod
    def of(cls, realm: Realm) -> "Trace":
        with realm.database.read() as tx:
            count = "SELECT count(*) FROM "
            entries = tx.exec_driver_sql(f"{count} feed_entries").scalar_one()
            records = tx.exec_driver_sql(f"{count} audit_events WHERE outcome = 'success'").scalar_one()
        return cls(entries, records)

    def since(self, before: "Trace") -> tuple[int, int]:
        return self.entries - before.entries, self.records - before.records


@dataclass
class World:
    """A user with tokens on two devices, and a client that may be disabled."""

    realm: Realm
    clock: ManualClock

    def __post_init__(self) -> None:
        self.person = Person(self.realm)
        self.answer, self.other = self.person.sign_in("laptop"), self.person.sign_in("phone")
        self.asker = self.person.bearer(self.answer)
        self.app = register_app(self.realm, f"App-{next(_numbers)}")

    @property
    def first_party(self) -> Client:
        client = self.realm.clients.find(FIRST_PARTY)
        assert client is not None
        return client

    def revoke(self, token: str) -> Callable[[], object]:
        return partial(revoke_token, self.realm, self.first_party, token, IP)

    def apply(self, event: CredentialEvent) -> Callable[[], object]:
        return partial(apply_event, self.realm, self.person.user_id, event, by=BY)

    def after(self, before: type[Any], *, act: type[Any]) -> Callable[[], object]:
        self.person.apply(before(self.person.user_id))
        return self.apply(act(self.person.user_id))

    def revoke_own(self) -> Callable[[], object]:
        now, name = int(self.clock.seconds()), self.app.client_id
        claims = ClientToken(ISSUER, name, (AUDIENCE,), now + 300, now, f"token of {name}", name, "read")
        token = issue_access_token(self.realm.keyring.current.signing_key, claims)
        return partial(revoke_token, self.realm, self.app, token, IP)

    def not_me(self) -> Callable[[], object]:
        return partial(report_compromise, self.realm, self.person.add_link(LinkPurpose.NOT_ME), IP)

    def reuse(self) -> Callable[[], object]:
        answer = self.answer
        for _ in range(3):
            self.clock.advance(timedelta(minutes=2))  # no family rests so long
            following = self.person.refresh(answer)
            assert isinstance(following, TokenAnswer)
            answer = following
        return partial(self.person.refresh, self.answer)

    def used_code(self) -> Callable[[], object]:
        visitor = Visitor(self.person, authorizing.register_app(self.realm).client.client_id)
        code = visitor.code(visitor.sign_in())
        visitor.redeem(code)
        return partial(visitor.redeem, code)

    def connected(self) -> Callable[[], object]:
        Browser(self.realm, self.person.user_id).let(self.app)
        return partial(disconnect, self.realm, self.asker, self.app.client_id, IP)

    def disabled(self) -> Callable[[], object]:
        disable_client(self.realm, self.app.client_id, BY)
        self.clock.advance(timedelta(hours=1))
        return partial(enable_client, self.realm, self.app.client_id, by=BY)


Prepare = Callable[[World], Callable[[], object]]

ACTS: dict[str, tuple[Prepare, tuple[int, int]]] = {
    "revoke an access token": (lambda w: w.revoke(w.answer.access_token), (1, 1)),
    "revoke a client's own access token": (lambda w: w.revoke_own(), (1, 1)),
    "revoke a refresh token": (lambda w: w.revoke(w.answer.refresh_token), (1, 1)),
    "sign out": (lambda w: partial(sign_out, w.realm, w.asker, IP), (1, 1)),
    "sign out everywhere": (lambda w: partial(sign_out_everywhere, w.realm, w.asker, IP), (3, 1)),
    "sign out elsewhere": (lambda w: partial(sign_out_elsewhere, w.realm, w.asker, IP), (1, 1)),
    "end another session": (lambda w: partial(end_session, w.realm, w.asker, w.other.sid, IP), (1, 1)),
    "end a session for an operator": (lambda w: partial(end_session_of_user, w.realm, w.other.sid, by=BY), (1, 1)),
    "end everything for an operator": (lambda w: w.apply(events.SignedOutByAdmin(w.person.user_id)), (3, 1)),
    "lock": (lambda w: w.apply(events.UserLocked(w.person.user_id)), (1, 1)),
    "unlock": (lambda w: w.after(events.UserLocked, act=events.UserUnlocked), (1, 1)),
    "disable": (lambda w: w.apply(events.UserDisabled(w.person.user_id)), (3, 1)),
    "enable": (lambda w: w.after(events.UserDisabled, act=events.UserEnabled), (0, 1)),
    "lock one who is disabled": (lambda w: w.after(events.UserDisabled, act=events.UserLocked), (1, 1)),
    "disable one who is locked": (lambda w: w.after(events.UserLocked, act=events.UserDisabled), (3, 1)),
    "give roles": (lambda w: partial(change_roles, w.realm, w.person.user_id, add=("editor",), by=BY), (1, 1)),
    "delete": (lambda w: w.apply(events.UserDeleted(w.person.user_id)), (3, 1)),
    "disable a client": (lambda w: partial(disable_client, w.realm, w.app.client_id, BY), (1, 1)),
    "enable a client": (lambda w: w.disabled(), (1, 1)),
    "disconnect an app": (lambda w: w.connected(), (1, 2)),
    "this was not me": (lambda w: w.not_me(), (3, 1)),
    "show an old refresh token": (lambda w: w.reuse(), (1, 1)),
    "show a used code": (lambda w: w.used_code(), (1, 1)),
}
"""What is done, and what one act adds to feed and record."""


def test_a_repeated_act_publishes_and_records_nothing(crowded: Realm, clock: ManualClock) -> None:
    found: dict[str, list[tuple[int, int]]] = {}
    for name, (prepare, _) in ACTS.items():
        act = prepare(World(crowded, clock))
        before = Trace.of(crowded)
        race(*[act] * THREADS)
        found[name] = [Trace.of(crowded).since(before)]
        for _ in range(MORE):
            act()
        found[name].append(Trace.of(crowded).since(before))
    assert found == {name: [trace, trace] for name, (_, trace) in ACTS.items()}


def test_a_second_sign_out_everywhere_ends_sessions_opened_since(crowded: Realm, clock: ManualClock) -> None:
    """An act is a no-op if it finds nothing to do, not because it was done before."""
    world = World(crowded, clock)
    everything = world.apply(events.SignedOutByAdmin(world.person.user_id))
    everything()
    again = world.person.sign_in("laptop")
    everything()
    world.person.assert_dead(again)


def test_the_receipt_of_a_repeated_act_shows_the_present_state(crowded: Realm, clock: ManualClock) -> None:
    """The receipt has the present token version, and says that nothing was left to do."""
    world = World(crowded, clock)
    first = world.person.apply(events.SignedOutByAdmin(world.person.user_id))
    second = world.person.apply(events.SignedOutByAdmin(world.person.user_id))
    assert (first.sessions_ended, second.sessions_ended) == (2, 0)
    assert (first.no_op, second.no_op) == (False, True)
    assert second.token_version == first.token_version == world.person.row.token_version


def test_revoking_a_revoked_token_needs_no_write_transaction(
    crowded: Realm, clock: ManualClock, recording: Recording
) -> None:
    """Repeated calls take no lock and write nothing."""
    world = World(crowded, clock)
    for token in (world.answer.access_token, world.other.refresh_token):
        revoke = world.revoke(token)
        revoke()
        with recording() as statements:
            revoke()
        assert all(statement.startswith("SELECT") for statement in statements), statements
