"""A password does not wear out."""

from datetime import timedelta

from tests.support.people.api import Api, content
from tests.support.world.clock import ManualClock


def test_a_password_of_five_years_ago_still_signs_in(api: Api, user_id: str, clock: ManualClock) -> None:
    """ASVS 6.2.10: nobody is made to choose another one because time has passed."""
    before = content(api.get("/account", api.sign_in()["access_token"]), 200)
    clock.advance(timedelta(days=5 * 366))
    after = content(api.get("/account", api.sign_in()["access_token"]), 200)
    assert after == before
