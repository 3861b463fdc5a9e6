"""Workers that die at the worst moment: all is committed, and nobody was told (fault experiment F1)."""

from collections.abc import Iterator

import pytest
from sqlalchemy import func, select

from authserver.storage.schema import Session, User
from tests.support.faults.dying_server import Moment, die_once, serve_dying
from tests.support.people.device import Device, assert_alive, assert_refused, register
from tests.support.world.databases import Databases, opened
from tests.support.world.server import Server, install, serving
from tests.support.world.time_limit import time_limit


@pytest.fixture(scope="module", params=["sqlite_databases", "postgresql_databases"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests here: each has a user of its own."""
    databases: Databases = request.getfixturevalue(request.param)
    with serving(install(tmp_path_factory.mktemp("server"), databases.migrated()), program=serve_dying) as server:
        yield server


@pytest.fixture
def email(server: Server) -> str:
    return register(server)


def count_live_sessions(server: Server, email: str) -> int:
    with opened(server.installation.database_url) as database, database.read() as tx:
        count: int = tx.execute(
            select(func.count())
            .select_from(Session)
            .join(User, User.user_id == Session.user_id)
            .where(User.email == email, Session.ended_at.is_(None))
        ).scalar_one()
    return count


@time_limit(60)
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_worker_that_dies_around_a_refresh_leaves_one_successor(server: Server, email: str, moment: Moment) -> None:
    """Whether the rotation was committed or never began, the same refresh token is good for the same retry."""
    with Device(server, email) as device:
        held = device.refresh_token
        die_once(server.installation, moment, "/oauth/token")
        with pytest.raises(ConnectionError):
            device.present(held)
        answers = [device.present(held) for _ in range(2)]
        assert [answer.status for answer in answers] == [200, 200]
        (device.refresh_token,) = {answer.json["refresh_token"] for answer in answers}
        assert device.refresh_token != held
        assert_alive(device)


@time_limit(60)
def test_a_worker_that_dies_in_the_retry_leaves_the_same_successor(server: Server, email: str) -> None:
    """The answer is lost twice."""
    with Device(server, email) as device:
        held = device.refresh_token
        successor = device.present(held).json["refresh_token"]
        die_once(server.installation, "after", "/oauth/token")
        with pytest.raises(ConnectionError):
            device.present(held)
        assert device.present(held).json["refresh_token"] == successor


@time_limit(60)
def test_reuse_that_was_found_by_a_dying_worker_stays_found(server: Server, email: str) -> None:
    """The thief's answer is lost, the revocation is not (invariant I3)."""
    with Device(server, email) as device:
        stolen = device.refresh_token
        device.refresh()
        device.rotate()
        die_once(server.installation, "after", "/oauth/token")
        with pytest.raises(ConnectionError):
            device.present(stolen)
        assert_refused(device.present(device.refresh_token))
        assert device.ask_account().status == 401


@time_limit(60)
def test_a_sign_in_and_a_sign_out_whose_answers_are_lost_can_be_repeated(server: Server, email: str) -> None:
    """One session on the device however often its person tries, and none after the end."""
    die_once(server.installation, "after", "/api/login")
    with pytest.raises(ConnectionError):
        Device(server, email, device_id="phone")
    with Device(server, email, device_id="phone") as phone:
        assert count_live_sessions(server, email) == 1
        die_once(server.installation, "after", "/api/logout")
        with pytest.raises(ConnectionError):
            phone.post_json("/api/logout", bearer=phone.access_token)
        assert count_live_sessions(server, email) == 0
        assert phone.post_json("/api/logout", bearer=phone.access_token).status == 401
        assert_refused(phone.present(phone.refresh_token))
