"""After a restored backup, no revoked token passes anywhere, and new sign-ins work (fault F39)."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from authserver.assembly import build_custody, build_realm, open_database
from authserver.authentication.bearer import Bearer, authenticate_bearer
from authserver.config import Settings
from authserver.credentials.events import PasswordSetByAdmin
from authserver.custody.recover import recover_from_restore
from authserver.custody.rotate_keys import repair_keys
from authserver.keyring.master_files import create_master_key
from authserver.protocol.revocation_feed import FeedPage, IssuerEntry, KeyEntry, read_page
from authserver.protocol.secret import Secret
from authserver.realm import Realm
from authserver.records.audit import Actor
from authserver.records.presence import BearerRefused
from authserver.storage import Database
from authserver.storage.schema import Base
from authserver.trusted_time import Trusted
from tests.support.people.refreshing import open_device, refreshed, refused
from tests.support.world.clock import ManualClock
from tests.support.world.databases import Databases
from tests.support.world.entropy import SeededEntropy
from tests.support.world.realm import PASSWORD, add_first_party_client, add_user

OPERATOR = Actor("cli")


class Site:
    """An installation, assembled as in production, with its own database and the shared folder of keys."""

    def __init__(self, folder: Path, url: str, clock: ManualClock, entropy: SeededEntropy) -> None:
        self.settings = Settings(home=folder, keys_dir=folder / "keys", database_url=Secret(url))
        self.database = open_database(self.settings)
        self.custody = build_custody(self.settings, self.database, clock=clock, entropy=entropy)

    def serve(self) -> Realm:
        return build_realm(self.settings, self.custody)


@pytest.fixture
def site(databases: Databases, tmp_path: Path, clock: ManualClock, entropy: SeededEntropy) -> Iterator[Site]:
    create_master_key(tmp_path / "keys", now=clock.now(), entropy=entropy)
    site = Site(tmp_path, databases.migrated(), clock, entropy)
    repair_keys(site.custody, by=OPERATOR)
    yield site
    site.database.dispose()


@pytest.fixture
def backup(databases: Databases, tmp_path: Path, clock: ManualClock, entropy: SeededEntropy) -> Iterator[Site]:
    """The installation into which `_copy` restores a backup; empty until then."""
    site = Site(tmp_path, databases.migrated(), clock, entropy)
    yield site
    site.database.dispose()


def test_revoked_tokens_stay_refused_and_new_sign_ins_work(site: Site, backup: Site, clock: ManualClock) -> None:
    realm = site.serve()
    add_first_party_client(realm)
    user_id = add_user(realm)
    before = open_device(realm, "phone")
    _copy(site.database, backup.database)
    for _ in range(10):
        _change_password(realm, user_id)
        clock.advance(timedelta(seconds=1))
    after = open_device(realm, "laptop")
    cursor = _read_feed(realm).cursor
    clock.advance(timedelta(seconds=1))

    recovered = recover_from_restore(backup.custody, Trusted(backup.custody.clock.now()), by=OPERATOR)
    assert recovered.sessions == 1
    restored = backup.serve()
    for answer in (before, after):
        assert refused(restored, answer.refresh_token).soft_logout is True
        assert isinstance(authenticate_bearer(restored, answer.access_token), BearerRefused)
    fresh = open_device(restored, "phone")
    bearer = authenticate_bearer(restored, refreshed(restored, fresh.refresh_token).access_token)
    assert isinstance(bearer, Bearer)
    assert (bearer.claims.token_version or 0) > 11, "versions in the world may be ahead of the backup's"

    page = _read_feed(restored, cursor)
    assert page.reset, "a reader that followed the lost database must not believe that it goes on"
    assert [entry.issued_before for entry in page.entries if isinstance(entry, IssuerEntry)] == [int(clock.seconds())]
    assert bearer.claims.iat >= int(clock.seconds())
    assert sum(isinstance(entry, KeyEntry) for entry in page.entries) == 2


def test_feed_positions_rise_above_those_that_readers_may_have_seen(
    site: Site, backup: Site, clock: ManualClock
) -> None:
    """Otherwise readers would ignore a lock or a disabled client of the restored database as older than their state."""
    realm = site.serve()
    add_first_party_client(realm)
    user_id = add_user(realm)
    _copy(site.database, backup.database)
    for _ in range(50):
        _change_password(realm, user_id)
    seen = int(_read_feed(realm).cursor.partition(".")[0])
    clock.advance(timedelta(minutes=1))
    recover_from_restore(backup.custody, Trusted(backup.custody.clock.now()), by=OPERATOR)
    assert int(_read_feed(backup.serve()).cursor.partition(".")[0]) > seen


def _change_password(realm: Realm, user_id: str) -> None:
    hashed = realm.passwords.hasher.hash(Secret(PASSWORD))
    with realm.database.write() as tx:
        realm.revocation.apply(tx, PasswordSetByAdmin(user_id, hashed), by=OPERATOR, now=realm.clock.now())


def _copy(source: Database, target: Database) -> None:
    """Restore a backup of `source` into `target`."""
    with source.read() as old, target.write() as new:
        for table in reversed(Base.metadata.sorted_tables):
            new.execute(table.delete())
        for table in Base.metadata.sorted_tables:
            rows = [dict(row._mapping) for row in old.execute(select(table))]
            if rows:
                new.execute(insert(table), rows)


def _read_feed(realm: Realm, cursor: str = "") -> FeedPage:
    served = realm.feed.read(cursor, None)
    assert served.body is not None
    return read_page(json.loads(served.body))
