"""One person, two devices, over real sockets: what ends one session leaves the other alone (design §1, §4)."""

from collections.abc import Iterator

import pytest
from sqlalchemy import select

from authserver.storage.schema import RefreshTokenFamily, User
from tests.support.people.device import Device, assert_alive, assert_dead, assert_refused, register
from tests.support.world.databases import Databases, opened
from tests.support.world.server import Server, install, serving
from tests.support.world.time_limit import time_limit


@pytest.fixture(scope="module", params=["sqlite_databases", "postgresql_databases"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all stories here: each has a user of its own."""
    databases: Databases = request.getfixturevalue(request.param)
    with serving(install(tmp_path_factory.mktemp("server"), databases.migrated()), cold=True) as server:
        yield server


@pytest.fixture
def email(server: Server) -> str:
    return register(server)


@pytest.fixture
def phone(server: Server, email: str) -> Iterator[Device]:
    with Device(server, email, device_name="phone") as device:
        yield device


@pytest.fixture
def laptop(server: Server, email: str) -> Iterator[Device]:
    with Device(server, email, device_name="laptop") as device:
        yield device


def generations(server: Server, email: str) -> list[int]:
    """How far each family of the user has come; one row for each that there ever was."""
    with opened(server.installation.database_url) as database, database.read() as tx:
        return list(
            tx.execute(
                select(RefreshTokenFamily.generation)
                .join(User, User.user_id == RefreshTokenFamily.user_id)
                .where(User.email == email)
            ).scalars()
        )


@time_limit(60)
def test_fifty_rotations_on_each_of_two_devices_leave_two_families(
    server: Server, email: str, phone: Device, laptop: Device
) -> None:
    """One row for each family, however often it refreshes."""
    for _ in range(50):
        phone.rotate()
        laptop.rotate()
    assert generations(server, email) == [51, 51]
    assert_alive(phone)
    assert_alive(laptop)


@time_limit(60)
def test_the_first_token_shown_again_ends_its_session_and_no_other(phone: Device, laptop: Device) -> None:
    """ASVS 10.4.5: reuse is found, and the whole session of it ends."""
    first = phone.refresh_token
    for _ in range(3):
        phone.rotate()
        laptop.rotate()
    assert_refused(phone.present(first))
    assert_dead(phone)
    assert_alive(laptop)


@time_limit(60)
def test_a_lost_answer_is_given_again_with_the_same_successor(
    server: Server, email: str, phone: Device, laptop: Device
) -> None:
    held = phone.refresh_token
    phone.present_and_hang_up(held)
    again, and_again = phone.present(held), laptop.present(held)
    assert (again.status, and_again.status) == (200, 200)
    assert again.json["refresh_token"] == and_again.json["refresh_token"] != held
    assert again.json["access_token"] != and_again.json["access_token"]
    assert sorted(generations(server, email)) == [1, 2]
    assert_alive(phone)


@time_limit(60)
def test_a_device_that_signs_in_again_has_one_session(server: Server, email: str, laptop: Device) -> None:
    """One live session for each device id (Matrix)."""
    with Device(server, email, device_id="tablet") as earlier, Device(server, email, device_id="tablet") as later:
        assert earlier.sid != later.sid
        assert_dead(earlier)
        assert_alive(later)
    assert_alive(laptop)


@time_limit(60)
def test_signing_out_ends_the_session_that_asks(phone: Device, laptop: Device) -> None:
    """ASVS 7.4.1: once a session has ended, nothing of it works any more."""
    assert phone.post_json("/api/logout", bearer=phone.access_token).status == 204
    assert_dead(phone)
    assert_alive(laptop)


@time_limit(60)
def test_signing_out_everywhere_ends_all_sessions_of_the_user_and_of_no_other(
    server: Server, phone: Device, laptop: Device
) -> None:
    with Device(server, register(server)) as stranger:
        assert phone.post_json("/api/logout/all", bearer=phone.access_token).status == 204
        assert_dead(phone)
        assert_dead(laptop)
        assert_alive(stranger)


@time_limit(60)
def test_one_device_ends_the_session_of_the_other(server: Server, phone: Device, laptop: Device) -> None:
    """ASVS 7.5.2: the list names both sessions, and each can be ended from any device of its user."""
    listed = laptop.get("/api/account/sessions", bearer=laptop.access_token).json["sessions"]
    assert {entry["sid"]: (entry["device_name"], entry["current"]) for entry in listed} == {
        phone.sid: ("phone", False),
        laptop.sid: ("laptop", True),
    }
    with Device(server, register(server)) as stranger:
        path = f"/api/account/sessions/{phone.sid}"
        assert stranger.delete(path, bearer=stranger.access_token).status == 404
        assert_alive(phone)
        assert laptop.delete(path, bearer=laptop.access_token).status == 204
        assert_alive(stranger)
    assert_dead(phone)
    assert_alive(laptop)


@time_limit(60)
def test_ending_all_other_sessions_keeps_the_one_that_asks(server: Server, phone: Device, laptop: Device) -> None:
    answer = laptop.post_json("/api/account/sessions/revoke-others", bearer=laptop.access_token)
    assert answer.status == 200
    assert (answer.json["revocation"]["sessions_ended"], answer.json["revocation"]["sessions_kept"]) == (1, 1)
    assert_dead(phone)
    assert_alive(laptop)
