"""A stolen refresh token, used with patience: the story takes hours, so the server's clock is moved."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.support.people.device import Device, assert_alive, assert_refused, register
from tests.support.people.refreshing import REST
from tests.support.world.databases import BACKENDS, Databases
from tests.support.world.moved_server import let_pass, serve_moved
from tests.support.world.server import Server, install, serving
from tests.support.world.time_limit import time_limit

AT_LEISURE = timedelta(hours=1)


@pytest.fixture(scope="module", params=BACKENDS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One for both stories: the time that passes in one has passed in the other."""
    databases: Databases = request.getfixturevalue(f"{request.param}_databases")
    with serving(install(tmp_path_factory.mktemp("server"), databases.migrated()), program=serve_moved) as server:
        yield server


@time_limit(60)
def test_thief_and_owner_who_share_a_family_lose_it_by_the_second_generation(server: Server) -> None:
    """Once the thief's use may have been a lost answer of the owner; twice in a row it was not (design §4)."""
    with Device(server, email := register(server)) as owner, Device(server, email) as elsewhere:
        stolen = owner.refresh_token
        owner.refresh()
        let_pass(server.installation, AT_LEISURE)
        shared = owner.present(stolen).json["refresh_token"]
        assert shared == owner.refresh_token
        let_pass(server.installation, REST)
        owner.refresh()
        let_pass(server.installation, AT_LEISURE)
        assert_refused(owner.present(shared))
        assert_refused(owner.present(owner.refresh_token))
        elsewhere.refresh()
        assert_alive(elsewhere)


@time_limit(60)
def test_a_phone_that_slept_over_a_lost_answer_goes_on(server: Server) -> None:
    """It suspended the app between response and disk, at night, twice: not in two generations running."""
    with Device(server, register(server)) as phone:
        for _ in range(2):
            phone.present_and_hang_up(phone.refresh_token)
            let_pass(server.installation, timedelta(hours=8))
            phone.refresh()
            let_pass(server.installation, REST)
            phone.refresh()
        assert_alive(phone)
