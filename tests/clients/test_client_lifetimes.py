"""A client's own lifetimes and windows take effect, on both databases."""

import dataclasses
from datetime import timedelta

import pytest

from authserver.clients.client_registration import ClientChanges
from authserver.clients.register_client import FIRST_PARTY_CLIENT_ID, update_client
from authserver.jose.access_token import check_access_token
from authserver.protocol.oauth_error import OAuthError
from authserver.realm import Realm
from authserver.realm.outcomes import Invalid
from authserver.records.client import Client
from authserver.storage import families, sessions, users
from authserver.tokens.new_family import AccessToGrant, begin_family
from tests.support.people.refreshing import open_device, refresh, refreshed, refused
from tests.support.world.clock import ManualClock
from tests.support.world.realm import ISSUER, add_user

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def user_id(realm: Realm) -> str:
    """The user of every test in this file."""
    return add_user(realm)


def _give(realm: Realm, clock: ManualClock, changes: ClientChanges) -> None:
    """Change the client, and wait until no older record is in memory."""
    changed = update_client(realm, FIRST_PARTY_CLIENT_ID, changes)
    assert isinstance(changed, Client), changed
    clock.advance(6 * SECOND)


def _lifetime(realm: Realm, token: str) -> int:
    claims = check_access_token(
        token,
        find_key=realm.keyring.current.find_verification_key,
        issuer=ISSUER,
        audience=ISSUER,
        now=realm.clock.seconds(),
        leeway=0,
        longest_lifetime=3600,
    )
    return claims.exp - claims.iat


def test_access_tokens_have_the_lifetime_of_their_client(realm: Realm, clock: ManualClock) -> None:
    """The lifetime applies to the tokens of a sign-in and of a refresh."""
    _give(realm, clock, {"access_token_lifetime": 90 * SECOND})
    opened = open_device(realm)
    for answer in (opened, refreshed(realm, opened.refresh_token)):
        assert (answer.expires_in, _lifetime(realm, answer.access_token)) == (90, 90)


def test_no_access_token_outlives_the_installations_lifetime(realm: Realm, clock: ManualClock) -> None:
    """If the installation's lifetime is lowered after a registration, longer tokens would outlive the feed window."""
    _give(realm, clock, {"access_token_lifetime": 240 * SECOND})
    lowered = dataclasses.replace(realm.lifetimes, access_token_lifetime=60 * SECOND)
    assert open_device(dataclasses.replace(realm, lifetimes=lowered)).expires_in == 60


def test_a_family_expires_after_the_idle_lifetime_of_its_client(realm: Realm, clock: ManualClock) -> None:
    """The idle lifetime begins with the family, and again with each rotation."""
    _give(realm, clock, {"refresh_idle_lifetime": HOUR})
    opened = open_device(realm)
    assert opened.refresh_expires_in == 3600
    clock.advance(HOUR - SECOND)
    rotated = refreshed(realm, opened.refresh_token)
    assert rotated.refresh_expires_in == 3600
    clock.advance(HOUR - SECOND)
    token = refreshed(realm, rotated.refresh_token).refresh_token
    clock.advance(HOUR)
    assert refused(realm, token).soft_logout is True


def test_a_shorter_idle_lifetime_holds_from_the_next_rotation(realm: Realm, clock: ManualClock) -> None:
    token = open_device(realm).refresh_token
    _give(realm, clock, {"refresh_idle_lifetime": HOUR})
    rotated = refreshed(realm, token)
    assert rotated.refresh_expires_in == 3600
    clock.advance(HOUR)
    assert isinstance(refresh(realm, rotated.refresh_token), OAuthError)


def test_a_family_expires_after_the_absolute_lifetime_of_its_client(realm: Realm, clock: ManualClock) -> None:
    _give(realm, clock, {"refresh_idle_lifetime": HOUR, "refresh_absolute_lifetime": HOUR + timedelta(minutes=30)})
    opened = open_device(realm)
    clock.advance(HOUR - SECOND)
    rotated = refreshed(realm, opened.refresh_token)
    assert rotated.refresh_expires_in == 1801
    clock.advance(1801 * SECOND)
    assert isinstance(refresh(realm, rotated.refresh_token), OAuthError)


def test_the_session_list_shows_the_end_that_the_client_gets(realm: Realm, clock: ManualClock, user_id: str) -> None:
    """A rotation near the absolute end stores an idle end after it; the earlier one counts."""
    _give(realm, clock, {"refresh_idle_lifetime": HOUR, "refresh_absolute_lifetime": HOUR + timedelta(minutes=30)})
    opened = open_device(realm)
    clock.advance(HOUR - SECOND)
    rotated = refreshed(realm, opened.refresh_token)
    with realm.database.read() as tx:
        (summary,) = sessions.list_live(tx, user_id, clock.now())
    assert (summary.expires_at - clock.now()).total_seconds() == rotated.refresh_expires_in == 1801


def test_the_idle_end_of_a_family_may_lie_after_the_end_of_its_session(
    realm: Realm, clock: ManualClock, user_id: str
) -> None:
    """`idle_expires_at` is only the end for lack of use; `ends_at` says when the family ends."""
    now, client = clock.now(), realm.clients.find(FIRST_PARTY_CLIENT_ID)
    assert client is not None
    sid = open_device(realm).sid
    with realm.database.write() as tx:
        user, session = users.load(tx, user_id), sessions.find_live(tx, user_id, sid, now)
        assert session is not None
        nearly_over = dataclasses.replace(session, expires_at=now + HOUR)
        granted = AccessToGrant("profile", (ISSUER,), now, client.family_version)
        holding = begin_family(tx, realm, user=user, session=nearly_over, client=client, granted=granted, now=now)
        family = families.find(tx, holding.family_id)
    assert family is not None
    assert family.idle_expires_at == now + realm.lifetimes.refresh_idle_lifetime
    assert family.ends_at == family.expires_at == holding.refresh_ends_at == now + HOUR


@pytest.mark.parametrize(
    ("fits", "too_much", "field", "limit"),
    [
        ({"refresh_idle_lifetime": 370}, {"refresh_idle_lifetime": 369}, "refresh_idle_lifetime", "at least 370 "),
        ({"retry_window": 604490}, {"retry_window": 604491}, "retry_window", "0 to 604490 "),
        ({"retry_window": 0}, {"retry_window": -1}, "retry_window", "0 to 604490 "),
        (
            {"refresh_idle_lifetime": 400, "retry_window": 90},
            {"refresh_idle_lifetime": 400, "retry_window": 91},
            "retry_window",
            "0 to 90 ",
        ),
        (
            {"refresh_idle_lifetime": 160, "access_token_lifetime": 90},
            {"refresh_idle_lifetime": 160, "access_token_lifetime": 91},
            "refresh_idle_lifetime",
            "at least 161 ",
        ),
        (
            {"refresh_idle_lifetime": 310, "retry_window": 0},
            {"refresh_idle_lifetime": 309, "retry_window": 0},
            "refresh_idle_lifetime",
            "at least 310 ",
        ),
    ],
)
def test_no_client_can_be_set_so_that_its_families_expire_while_it_refreshes(
    realm: Realm, fits: dict[str, int], too_much: dict[str, int], field: str, limit: str
) -> None:
    """Design §4: retry window, 10 s and access-token lifetime must together fit into the idle lifetime."""

    def change(seconds: dict[str, int]) -> object:
        changes = {name: number * SECOND for name, number in seconds.items()}
        return update_client(realm, FIRST_PARTY_CLIENT_ID, changes)

    assert isinstance(change(fits), Client)
    problems = change(too_much)
    assert isinstance(problems, Invalid)
    (error,) = problems.errors
    assert error.field == field
    assert limit in error.message


def test_a_client_without_retry_windows_gets_no_retry(realm: Realm, clock: ManualClock) -> None:
    """Design §4: with both windows at 0, a repeated refresh token is refused."""
    _give(realm, clock, {"retry_window": timedelta(0), "late_retry_window": timedelta(0)})
    token = open_device(realm).refresh_token
    refreshed(realm, token)
    assert isinstance(refresh(realm, token), OAuthError)
