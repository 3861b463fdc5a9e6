"""What a user is told when somebody else seems to hold his tokens."""

from authserver.realm import Realm
from tests.support.people.api import Api
from tests.support.people.credentials import assert_ended, refresh, refreshed
from tests.support.people.mail import deliver_all
from tests.support.people.refreshing import REST
from tests.support.world.clock import ManualClock
from tests.support.world.realm import EMAIL


def test_a_reused_refresh_token_is_told_once_and_without_a_secret(
    api: Api, realm: Realm, user_id: str, clock: ManualClock
) -> None:
    """ASVS 6.3.5, 6.3.7: one mail, however often the old token is shown."""
    first = api.sign_in()
    second = refreshed(api, first)
    clock.advance(REST)
    third = refreshed(api, second)
    for _ in range(3):
        assert refresh(api, first).status_code == 400
    assert_ended(api, third)
    (mail,) = deliver_all(realm)
    assert mail["To"] == EMAIL
    for tokens in (first, second, third):
        assert tokens["refresh_token"] not in mail.as_string()
        assert tokens["access_token"] not in mail.as_string()
