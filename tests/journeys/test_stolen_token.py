"""A stolen refresh token, used with patience: the story takes hours, so the server's clock is moved."""

from datetime import timedelta
from pathlib import Path

from tests.support.device import Device, assert_alive, assert_refused, register
from tests.support.moved_server import PROGRAM, let_pass
from tests.support.server import install, serving
from tests.support.time_limit import time_limit

AT_LEISURE = timedelta(hours=1)


@time_limit(60)
def test_thief_and_owner_who_share_a_family_lose_it_by_the_second_generation(database_url: str, tmp_path: Path) -> None:
    """Once the thief's use may have been a lost answer of the owner; twice in a row it was not (design §4)."""
    installation = install(tmp_path, database_url)
    with (
        serving(installation, program=PROGRAM) as server,
        Device(server, email := register(server)) as owner,
        Device(server, email) as elsewhere,
    ):
        stolen = owner.refresh_token
        owner.refresh()
        let_pass(installation, AT_LEISURE)
        shared = owner.present(stolen).json["refresh_token"]
        assert shared == owner.refresh_token
        owner.refresh()
        let_pass(installation, AT_LEISURE)
        assert_refused(owner.present(shared))
        assert_refused(owner.present(owner.refresh_token))
        elsewhere.refresh()
        assert_alive(elsewhere)


@time_limit(60)
def test_a_phone_that_slept_over_a_lost_answer_goes_on(database_url: str, tmp_path: Path) -> None:
    """It suspended the app between response and disk, at night, twice: not in two generations running."""
    installation = install(tmp_path, database_url)
    with serving(installation, program=PROGRAM) as server, Device(server, register(server)) as phone:
        for _ in range(2):
            phone.present_and_hang_up(phone.refresh_token)
            let_pass(installation, timedelta(hours=8))
            phone.refresh()
            phone.refresh()
        assert_alive(phone)
