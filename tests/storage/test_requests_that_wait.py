"""Requests that wait: how long their rows stay, and what a restored backup and another MAC key do to them."""

from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from sqlalchemy import func, select

from authserver.authorization.begin_device import DeviceCodes, begin_device
from authserver.authorization.connect_device import claim_device
from authserver.authorization.pending_request import PROVED, begin_pending
from authserver.authorization.pushed_request import Opened, Pushed, open_pushed, push_request
from authserver.protocol.authorization_code import digest_code
from authserver.protocol.device_code import new_user_code, read_user_code, tag_user_code
from authserver.realm import Realm
from authserver.records.session import Ended
from authserver.storage import device_authorizations, restore
from authserver.storage.schema import DeviceAuthorization, PushedRequest
from authserver.trusted_time import Trusted
from authserver.upkeep.prune import Retention, prune_a_little
from authserver.web.pages.connecting import CONNECTION
from tests.support.people.authorizing import CALLBACK, CHALLENGE, register_app
from tests.support.people.code_race import Visitor
from tests.support.people.person import ORIGIN, Person
from tests.support.people.television import register_television
from tests.support.world.clock import ManualClock

TABLES = (PushedRequest, DeviceAuthorization)


@pytest.fixture
def codes(realm: Realm) -> DeviceCodes:
    """A pushed request that a browser opened, one that none did, and a device's; the codes of the device."""
    asked = {"response_type": "code", "redirect_uri": CALLBACK, "scope": "read"}
    asked |= {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}
    app = register_app(realm).client
    opened, unopened = (push_request(realm, app, asked) for _ in range(2))
    assert isinstance(opened, Pushed)
    assert isinstance(unopened, Pushed)
    link = urlencode({"client_id": app.client_id, "request_uri": opened.request_uri})
    assert isinstance(open_pushed(realm, link), Opened)
    client = realm.clients.find(register_television(realm))
    assert client is not None
    codes = begin_device(realm, client, None, (), ORIGIN)
    assert isinstance(codes, DeviceCodes)
    return codes


def count(realm: Realm) -> list[int]:
    """How many rows each table has."""
    with realm.database.read() as tx:
        return [tx.execute(select(func.count()).select_from(table)).scalar_one() for table in TABLES]


def prune(realm: Realm) -> int:
    """How many requests a step removes."""
    return prune_a_little(realm.database, Trusted(realm.clock.now()), Retention(audit=timedelta(days=365))).requests


def test_they_go_an_hour_after_they_expired(realm: Realm, codes: DeviceCodes, clock: ManualClock) -> None:
    """So long an interaction may be reloaded, and a device hears that its code has expired. Unopened ones go before."""
    assert codes.interval == 5
    clock.advance(timedelta(minutes=6))
    assert (prune(realm), count(realm)) == (0, [2, 1])
    clock.advance(timedelta(seconds=1))
    assert (prune(realm), count(realm)) == (1, [1, 1])
    clock.advance(timedelta(minutes=55) - timedelta(seconds=1))
    assert (prune(realm), count(realm)) == (0, [1, 1])
    clock.advance(timedelta(seconds=1))
    assert (prune(realm), count(realm)) == (1, [0, 1])
    clock.advance(timedelta(minutes=9))
    assert (prune(realm), count(realm)) == (1, [0, 0])


def test_a_restored_backup_has_none(realm: Realm, codes: DeviceCodes) -> None:
    """What was opened or exchanged since is unopened and unexchanged in the backup."""
    assert codes.interval == 5
    with realm.database.write() as tx:
        restore.end_everything(tx, Ended(realm.clock.now(), "restored", soft_logout=True))
    assert count(realm) == [0, 0]


def test_a_code_that_is_in_use_is_not_given_to_another_device(realm: Realm, codes: DeviceCodes) -> None:
    """The unique tag decides, so it holds on every node; the transaction goes on."""
    shown = read_user_code(codes.user_code)
    assert shown is not None
    secret = realm.keyring.current.mac_key.secret
    with realm.database.write() as tx:
        device = device_authorizations.find(tx, digest_code(codes.device_code))
        assert device is not None
        again = replace(device, code_digest=b"another")
        assert not device_authorizations.add(tx, again, tag_user_code(secret, shown))
        assert device_authorizations.add(tx, again, tag_user_code(secret, new_user_code(realm.entropy)))
    assert count(realm) == [2, 2]


def test_a_code_outlives_a_rotation_of_the_mac_key(realm: Realm, codes: DeviceCodes) -> None:
    """Its tag may have been made with any MAC key that is in use, on another node or before a rotation."""
    keyring, user_code = realm.keyring.current, new_user_code(realm.entropy)
    (other,) = (key for key in keyring.mac_keys if key.kid != keyring.mac_key.kid)
    with realm.database.write() as tx:
        device = device_authorizations.find(tx, digest_code(codes.device_code))
        assert device is not None
        device_authorizations.add(tx, replace(device, code_digest=b"other"), tag_user_code(other.secret, user_code))
    browser = Visitor(Person(realm), device.client_id).sign_in()
    pending = begin_pending(realm, "", CONNECTION.name).mark(PROVED, browser.sid)
    assert claim_device(realm, pending, browser, user_code)
