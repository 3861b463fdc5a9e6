"""A clock that is wrong for a while destroys nothing and moves nothing on for good; on both databases.

The chores are those of a real server process, on a clock that the tests set.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy

from authserver import app, assembly
from authserver.authentication.asker import Asker
from authserver.authentication.reauthentication import is_recent
from authserver.clients.register_client import FIRST_PARTY_CLIENT_ID, ClientRegistration, register_client
from authserver.config import Settings, load_settings
from authserver.credentials.events import RolesChanged, SignedOut
from authserver.custody.key_custody import KeyCustody
from authserver.custody.rotate_keys import repair_keys, rotate_keys
from authserver.deliveries.outcome import Failed
from authserver.keyring.keys import KeyState, Purpose
from authserver.keyring.master_files import create_master_key
from authserver.keyring.steps import Promote, Redate
from authserver.protocol.client_metadata import ClientKind
from authserver.realm import Realm
from authserver.records.audit import Actor
from authserver.storage.schema import Base, Node, OutboxMail, QueuedDelivery
from authserver.trusted_time import PROBATION, Doubted, Trusted
from authserver.upkeep.housekeeping import Chore
from authserver.upkeep.keep_time import Timekeeper
from authserver.upkeep.work_outbox import work_outbox
from tests.support.people.outbox import Troubled, count_rows, post, tell
from tests.support.people.refreshing import open_device, refreshed
from tests.support.world.clock import ManualClock
from tests.support.world.entropy import SeededEntropy
from tests.support.world.realm import SCOPE, add_user

BY = Actor("test")
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
YEAR = 365 * DAY
KEPT_OUT = {"nodes", "clock_mark"}
"""Tables that say what processes run, and what they think of the time."""


@dataclass
class Installation:
    """One installation; `start` begins a server process on the clock as it is."""

    settings: Settings
    custody: KeyCustody
    realm: Realm
    clock: ManualClock
    database_clock: ManualClock | None = None

    def start(self) -> "Process":
        timekeeper = Timekeeper(self.realm.database, self.clock, self._read_database_clock)
        chores = app.list_chores(self.settings, self.realm, self.custody, timekeeper)
        return Process(chores + app.list_mail_chores(self.settings, self.realm, timekeeper), timekeeper)

    def dump(self) -> Mapping[str, list[Any]]:
        """All rows of all tables that a wrong clock could touch."""
        with self.realm.database.read() as tx:
            return {
                table.name: sorted(map(repr, tx.execute(sqlalchemy.select(table))))
                for table in Base.metadata.sorted_tables
                if table.name not in KEPT_OUT
            }

    def _read_database_clock(self, _tx: object) -> datetime | None:
        return None if self.database_clock is None else self.database_clock.now()


@dataclass
class Process:
    """The chores of one server process, done when a test says so."""

    chores: tuple[Chore, ...]
    timekeeper: Timekeeper

    def work(self, times: int = 1) -> None:
        for _ in range(times):
            for chore in self.chores:
                chore.do()


@pytest.fixture
def installation(
    database_url: str, tmp_path: Path, clock: ManualClock, entropy: SeededEntropy, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Installation]:
    """With a bit of everything that could be pruned: a user who signs in and out, links, mails, codes, feed entries."""
    for name, value in {
        "DATABASE_URL": database_url,
        "HOME": str(tmp_path),
        "KEYS_DIR": str(tmp_path / "keys"),
        "KEY_ROTATION_INTERVAL": str(90 * 86_400),
    }.items():
        monkeypatch.setenv(f"AUTHSERVER_{name}", value)
    settings = load_settings()
    create_master_key(settings.keys_dir, now=clock.now(), entropy=entropy)
    custody = assembly.build_custody(settings, assembly.open_database(settings), clock=clock, entropy=entropy)
    repair_keys(custody, by=BY)
    realm = assembly.build_realm(settings, custody)
    registration = ClientRegistration(
        "First party", ClientKind.PUBLIC, FIRST_PARTY_CLIENT_ID, first_party=True, scope=SCOPE
    )
    register_client(realm, registration)
    installation = Installation(settings, custody, realm, clock)
    _live_a_little(installation)
    yield installation
    realm.database.dispose()


def _live_a_little(installation: Installation) -> None:
    realm, process = installation.realm, installation.start()
    user_id = add_user(realm)
    tell(realm, user_id)
    process.work()
    ended = open_device(realm)
    with realm.database.write() as tx:
        realm.revocation.apply(tx, SignedOut(user_id, ended.sid), by=BY, now=realm.clock.now())
        realm.revocation.apply(tx, RolesChanged(user_id, ("reader",)), by=BY, now=realm.clock.now())
    open_device(realm)
    process.work()
    installation.clock.advance(timedelta(minutes=10))  # until the next keys could sign, and the retired could go
    process.work()


@pytest.fixture
def process(installation: Installation) -> Process:
    """A server process that has seen the right time."""
    process = installation.start()
    process.work()
    return process


@pytest.mark.parametrize("by", [400 * DAY, 10 * YEAR, -400 * DAY])
def test_a_clock_that_is_wrong_for_a_while_changes_nothing(
    installation: Installation, process: Process, clock: ManualClock, by: timedelta
) -> None:
    """Audit events, sessions, families, links, feed entries, keys: all as before, in every table."""
    before = installation.dump()
    for _ in range(5):
        clock.set_wall(clock.now() + by)
        process.work()
        installation.start().work()  # a worker that is replaced meanwhile, or an hourly cron
        clock.advance(timedelta(seconds=15))
        process.work()
        clock.set_wall(clock.now() - by)
        process.work()
    assert installation.dump() == before
    assert isinstance(process.timekeeper.look(), Trusted)


@pytest.mark.parametrize("by", [400 * DAY, 10 * YEAR])
def test_all_that_happens_by_a_wrong_clock_is_no_proof_of_it(
    installation: Installation, clock: ManualClock, by: timedelta
) -> None:
    """A machine that starts with a wrong clock: its workers report themselves and people sign in, by that clock."""
    before = installation.dump()["audit_events"]
    clock.set_wall(clock.now() + by)
    for _ in range(3):
        installation.start().work(2)
        open_device(installation.realm)
    assert isinstance(installation.start().timekeeper.look(), Doubted)
    assert set(before) <= set(installation.dump()["audit_events"])


def test_a_jump_that_lasts_is_believed_after_the_stated_time(
    installation: Installation, process: Process, clock: ManualClock
) -> None:
    before = installation.dump()
    clock.set_wall(clock.now() + 10 * YEAR)
    process.work()
    clock.advance(PROBATION - SECOND)
    process.work()
    assert installation.dump() == before
    clock.advance(SECOND)
    process.work(5)
    after = installation.dump()
    assert (after["refresh_token_families"], len(after["sessions"])) == ([], 0)
    assert "key_promoted" in str(after["audit_events"])
    assert "user_created" not in str(after["audit_events"])
    assert isinstance(installation.start().timekeeper.look(), Trusted)


def test_an_operators_word_is_enough_for_all_processes(
    installation: Installation, process: Process, clock: ManualClock
) -> None:
    clock.set_wall(clock.now() + 10 * YEAR)
    process.work()
    assert isinstance(process.timekeeper.look(), Doubted)
    installation.start().timekeeper.confirm()
    process.work()
    assert installation.dump()["sessions"] == []


def test_a_database_whose_clock_says_otherwise_is_contradicted_by_nobody(
    installation: Installation, clock: ManualClock
) -> None:
    """However long it lasts, and although the process knows no other time."""
    installation.database_clock = ManualClock(clock.now())
    process = installation.start()
    process.work()
    before = installation.dump()
    clock.set_wall(clock.now() + 10 * YEAR)
    for _ in range(3):
        clock.advance(PROBATION)
        process.work()
    assert installation.dump() == before


@pytest.mark.parametrize("databases", ["postgresql"], indirect=True)
def test_the_database_is_asked_for_its_clock(installation: Installation) -> None:
    """PostgreSQL has one, which no test moves."""
    judgement = Timekeeper(installation.realm.database, installation.clock).look()
    assert isinstance(judgement, Doubted)
    assert "the database's clock" in judgement.reason


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
def test_a_file_has_no_clock_of_its_own(installation: Installation) -> None:
    assert isinstance(Timekeeper(installation.realm.database, installation.clock).look(), Trusted)


def test_keys_that_bear_a_date_in_the_future_hold_up_no_schedule(
    installation: Installation, clock: ManualClock
) -> None:
    """Somebody confirmed a wrong clock, or ran an earlier release: without this no key is rotated for ten years."""
    custody = installation.custody
    clock.set_wall(clock.now() + 10 * YEAR)
    assert Promote in map(type, rotate_keys(custody, Trusted(clock.now()), by=BY))
    clock.set_wall(clock.now() - 10 * YEAR)
    steps = rotate_keys(custody, Trusted(clock.now()), by=BY)
    # Of each purpose: the active, the next, and the one that was active before.
    assert sum(isinstance(step, Redate) for step in steps) == 6
    known = custody.load_keys()
    assert all(key.since <= clock.now() for key in known.rows)
    retiring = next(known.select(Purpose.SIGNING, KeyState.RETIRING))
    assert retiring.retires_at == clock.now() + custody.times.retire_after
    clock.advance(90 * DAY)
    assert Promote in map(type, rotate_keys(custody, Trusted(clock.now()), by=BY))


def test_a_mail_that_was_put_off_by_a_wrong_clock_goes_out_all_the_same(
    installation: Installation, process: Process, clock: ManualClock
) -> None:
    """Its lease and its next attempt would be due in ten years."""
    realm = installation.realm
    with realm.database.read() as tx:
        user_id = tx.execute(sqlalchemy.text("SELECT user_id FROM users")).scalar_one()
    tell(realm, user_id)
    clock.set_wall(clock.now() + 10 * YEAR)
    process.work(3)
    work_outbox(realm, post(Troubled(Failed("away"))), process.timekeeper)
    assert count_rows(realm) == 1, "its link is over by that clock, which is no reason to drop it"
    clock.set_wall(clock.now() - 10 * YEAR)
    process.work()
    assert count_rows(realm, QueuedDelivery) == 0
    assert len(list((installation.settings.home / "mail").iterdir())) == 2


def test_a_mail_that_release_0_1_put_off_by_a_wrong_clock_goes_out_all_the_same(
    installation: Installation, process: Process, clock: ManualClock
) -> None:
    """Every server process moves what is left in the table of that release."""
    now = clock.now()
    mail = {
        "mail_id": "mail-1",
        "template": "user_deleted",
        "address": "ada@example.test",
        "parameters": '{"name": "", "at": 0}',
        "queued_at": now,
        "due_at": now + 10 * YEAR,
        "attempts": 1,
    }
    with installation.realm.database.write() as tx:
        tx.execute(sqlalchemy.insert(OutboxMail), [mail])
    process.work(2)
    assert [file.name for file in (installation.settings.home / "mail").glob("*-mail-1.eml")] != []


def test_who_signed_in_by_a_wrong_clock_has_not_signed_in_recently(
    installation: Installation, clock: ManualClock
) -> None:
    realm = installation.realm
    auth_time = int(clock.seconds())

    def recent() -> bool:
        return is_recent(realm, Asker("user", "sid", auth_time, None))

    assert recent()
    clock.set_wall(clock.now() - timedelta(seconds=30))
    assert recent(), "another node's clock may be a little ahead"
    clock.set_wall(clock.now() - 10 * YEAR)
    assert not recent()


def test_nodes_are_not_forgotten_by_a_wrong_clock(
    installation: Installation, process: Process, clock: ManualClock
) -> None:
    """`keys rewrap` asks them which master keys they have."""

    def count() -> int:
        with installation.realm.database.read() as tx:
            return tx.execute(sqlalchemy.select(sqlalchemy.func.count()).select_from(Node)).scalar_one()

    known = count()
    clock.set_wall(clock.now() + 10 * YEAR)
    installation.start().work()
    assert count() == known + 1


def test_a_session_that_lives_is_untouched_by_it_all(
    installation: Installation, process: Process, clock: ManualClock
) -> None:
    realm = installation.realm
    opened = open_device(realm)
    clock.set_wall(clock.now() + 400 * DAY)
    process.work(3)
    clock.set_wall(clock.now() - 400 * DAY)
    process.work()
    refreshed(realm, opened.refresh_token)
