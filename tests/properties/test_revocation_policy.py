"""Any row that settings may put in force, for any event, on sessions in any state (design §5).

A stricter row never keeps alive what a laxer one ends; a receipt says what happened, no more and no less; what is done
to one user is done to nobody else. Every example is carried out in full, and rolled back.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from itertools import product
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from authserver.administration.rehearsal import write_or_rehearse
from authserver.credentials.events import EVENTS, CredentialEvent
from authserver.credentials.events.base import UserEvent
from authserver.credentials.policy_row import Mode, PolicyRow, Reach, Spared
from authserver.credentials.representative import represent
from authserver.protocol.oauth_error import OAuthError
from authserver.realm import Realm
from authserver.records.link import LinkPurpose
from authserver.revocation import Receipt
from authserver.revocation.policy import RevocationPolicy, RevocationPolicyError
from authserver.storage import Transaction, sessions, users
from authserver.storage.schema import MailLink, QueuedDelivery, Session
from authserver.tokens.token_answer import TokenAnswer
from tests.support.people.person import BY, Person
from tests.support.world.clock import ManualClock

ABOUT_USERS: Final = tuple(event for event in EVENTS if issubclass(event, UserEvent))
_MEMBERS: Final = ("reach", "mode", "bump", "client_may_choose", "spared", "notify")
EXAMPLES: Final = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@dataclass(frozen=True)
class Asked:
    """An event; from which of the user's sessions it comes, and which it names; whether it may spare the others."""

    event: type[CredentialEvent]
    current: int | None
    named: int
    logout_devices: bool


@dataclass(frozen=True)
class Account:
    """What of a user works: sessions that can refresh, the lowest good version, mailed links."""

    live: frozenset[str]
    version: int | None
    links: frozenset[bytes]


@dataclass(frozen=True)
class Effect:
    """What an event did. `told` says of every session of the user how it is told of its end."""

    before: Account
    after: Account
    receipt: Receipt
    mails: int
    told: dict[str, bool]


@dataclass(frozen=True)
class World:
    """A user with sessions that live, are idle for too long, or have lapsed; and a neighbour."""

    realm: Realm
    person: Person
    neighbour: Person
    sids: tuple[str, ...]


@pytest.fixture
def world(realm: Realm, clock: ManualClock) -> World:
    person, neighbour = Person(realm), Person(realm)
    idle = person.sign_in()
    clock.advance(timedelta(days=7))
    lapsed = person.sign_in()
    assert isinstance(person.refresh(lapsed), TokenAnswer)
    clock.advance(timedelta(days=1))
    assert isinstance(person.refresh(lapsed), OAuthError)
    living = [person.sign_in() for _ in range(3)]
    for purpose in LinkPurpose:
        person.add_link(purpose)
        neighbour.add_link(purpose)
    neighbour.sign_in()
    clock.advance(timedelta(seconds=1))  # so that links of before can be told from those of the event
    return World(realm, person, neighbour, tuple(answer.sid for answer in (*living, lapsed, idle)))


asked = st.builds(
    Asked,
    st.sampled_from(ABOUT_USERS),
    st.sampled_from([0, 0, 1, 3, 4, None]),
    st.integers(0, 4),
    st.booleans(),
)


@given(asked=asked, rows=st.data())
@EXAMPLES
def test_a_stricter_row_never_keeps_alive_what_a_laxer_one_ends(
    world: World, asked: Asked, rows: st.DataObject
) -> None:
    """Neither a session nor an access token that was given out before."""
    lax = rows.draw(st.sampled_from(possible_rows(asked.event)))
    strict = rows.draw(st.sampled_from([row for row in possible_rows(asked.event) if is_as_strict(row, lax)]))
    laxly, strictly = (carry_out(world, asked, row).after for row in (lax, strict))
    assert strictly.live <= laxly.live
    assert strictly.version is None or strictly.version >= (laxly.version or 0)


@given(asked=asked, rows=st.data())
@EXAMPLES
def test_a_receipt_says_what_happened(world: World, asked: Asked, rows: st.DataObject) -> None:
    row = rows.draw(st.sampled_from(possible_rows(asked.event)))
    effect = carry_out(world, asked, row)
    before, after, receipt = effect.before, effect.after, effect.receipt
    current = None if asked.current is None else world.sids[asked.current]
    renewed = before.live & {current} if row.renew_current else frozenset()
    ended = before.live - after.live - renewed
    assert (receipt.event, receipt.mode) == (asked.event.name, mode_of(row, asked))
    assert (receipt.sessions_ended, receipt.sessions_kept) == (len(ended), len(before.live - ended))
    assert {effect.told[sid] for sid in ended if sid in effect.told} <= {receipt.mode is Mode.SOFT}
    assert all(effect.told[sid] for sid in renewed)
    assert receipt.token_version == (before.version or 0) + row.bump
    assert after.version == (None if asked.event.name == "user_deleted" else receipt.token_version)
    assert receipt.links_ended == len(before.links - after.links)
    assert len(receipt.mails) == effect.mails


@given(asked=asked, rows=st.data())
@EXAMPLES
def test_an_event_about_one_user_touches_no_other(world: World, asked: Asked, rows: st.DataObject) -> None:
    """Nor when it comes from a session of the other one, an administrator's: then nothing of the user is kept by it."""
    row = rows.draw(st.sampled_from(possible_rows(asked.event)))
    (administrators,) = world.neighbour.live_sids()
    with write_or_rehearse(world.realm, dry_run=True) as tx:
        before = look_at(tx, world, world.neighbour)
        apply(tx, world, asked, row, administrators)
        assert look_at(tx, world, world.neighbour) == before
        if row.reach is Reach.OTHERS and not is_spared(row, asked):
            assert not look_at(tx, world, world.person).live


def carry_out(world: World, asked: Asked, row: PolicyRow) -> Effect:
    """What the event does under this row; nothing of it stays."""
    current = None if asked.current is None else world.sids[asked.current]
    with write_or_rehearse(world.realm, dry_run=True) as tx:
        before, queued = look_at(tx, world, world.person), count_mails(tx)
        receipt = apply(tx, world, asked, row, current)
        after, mails = look_at(tx, world, world.person), count_mails(tx) - queued
        told = select(Session.sid, Session.soft_logout).where(Session.user_id == world.person.user_id)
        return Effect(before, after, receipt, mails, {found.sid: found.soft_logout for found in tx.execute(told)})


def apply(tx: Transaction, world: World, asked: Asked, row: PolicyRow, current: str | None) -> Receipt:
    realm, user = world.realm, users.load(tx, world.person.user_id)
    event = represent(
        asked.event,
        user_id=user.user_id,
        email=user.email,
        roles=("reader",),
        sid=world.sids[asked.named],
        link_issued_at=realm.clock.now() - timedelta(days=1),
    )
    policy = _find_policy(asked.event.name, row)
    assert policy is not None
    revocation = replace(realm.revocation, policy=policy)
    return revocation.apply(
        tx, event, by=BY, now=realm.clock.now(), current=current, logout_devices=asked.logout_devices
    )


def look_at(tx: Transaction, world: World, person: Person) -> Account:
    now = world.realm.clock.now()
    works = (MailLink.ended_at.is_(None), MailLink.expires_at > now, MailLink.issued_at < now)
    links = select(MailLink.link_id).where(MailLink.user_id == person.user_id, *works)
    return Account(
        frozenset(summary.session.sid for summary in sessions.list_live(tx, person.user_id, now)),
        users.load_token_version(tx, person.user_id),
        frozenset(tx.execute(links).scalars()),
    )


def count_mails(tx: Transaction) -> int:
    return tx.execute(select(func.count()).select_from(QueuedDelivery)).scalar_one()


def is_spared(row: PolicyRow, asked: Asked) -> bool:
    """Whether the other devices live because the client asked for it."""
    return row.client_may_choose and not asked.logout_devices and row.spared is Spared.ALIVE


def mode_of(row: PolicyRow, asked: Asked) -> Mode:
    chosen_softly = row.client_may_choose and not asked.logout_devices and row.spared is Spared.SOFT
    return Mode.SOFT if chosen_softly else row.mode


def is_as_strict(strict: PolicyRow, lax: PolicyRow) -> bool:
    """Whether `strict` grants nothing that `lax` does not."""
    return (
        (strict.reach is lax.reach or lax.reach is Reach.NONE or strict.reach is Reach.ALL)
        and strict.bump >= lax.bump
        and strict.client_may_choose <= lax.client_may_choose
        and (strict.spared is Spared.SOFT or lax.spared is Spared.ALIVE)
    )


def possible_rows(event: type[CredentialEvent]) -> tuple[PolicyRow, ...]:
    """Every row that settings may give this event."""
    return _list_possible(event.name)


@cache
def _list_possible(name: str) -> tuple[PolicyRow, ...]:
    default = RevocationPolicy().row(name)
    choices = product(Reach, Mode, (False, True), (False, True), Spared, (False, True))
    rows = [
        replace(default, reach=reach, mode=mode, bump=bump, client_may_choose=chosen, spared=spared, notify=notify)
        for reach, mode, bump, chosen, spared, notify in choices
    ]
    possible = tuple(row for row in rows if _find_policy(name, row) is not None)
    assert default in possible
    return possible


@cache
def _find_policy(name: str, row: PolicyRow) -> RevocationPolicy | None:
    """The policy with this row, if it can be put in force."""
    try:
        return RevocationPolicy({name: {member: getattr(row, member) for member in _MEMBERS}})
    except RevocationPolicyError:
        return None
