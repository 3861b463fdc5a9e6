"""No token acts after its own end, or that of its session, at the issuer itself: not for a second."""

import dataclasses
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from authserver.administration.manage_user import apply_event
from authserver.credentials import events
from authserver.protocol.client_metadata import ClientKind
from authserver.realm import Realm
from tests.support.people.api import Api, content, problem
from tests.support.people.authorizing import App, claims_of, register_app
from tests.support.people.credentials import change, refresh, refreshed
from tests.support.people.introspecting import is_active, own_credentials, register_server
from tests.support.people.pages import Pages
from tests.support.people.person import BY
from tests.support.world.clock import START, ManualClock
from tests.support.world.realm import LIFETIMES

FRACTION = timedelta(milliseconds=700)
HOUR = timedelta(hours=1)
BRIEF = dataclasses.replace(LIFETIMES, refresh_absolute_lifetime=HOUR)


@pytest.fixture
def clock() -> ManualClock:
    """Not at a whole second, as clocks are; ends are whole seconds."""
    return ManualClock(START + FRACTION)


@pytest.fixture
def brief(realm: Realm, user_id: str) -> Realm:
    """Sessions are over after an hour."""
    return dataclasses.replace(realm, lifetimes=BRIEF)


def userinfo(api: Api, token: str) -> int:
    return api.client.get("/oauth/userinfo", headers={"Authorization": f"Bearer {token}"}).status_code


def test_an_access_token_acts_for_no_second_after_it_expired(
    api: Api, realm: Realm, user_id: str, clock: ManualClock
) -> None:
    """Leeway is for the clocks of other machines: RFC 7519 §4.1.4."""
    tokens, server = api.sign_in(), register_server(realm)
    token = tokens["access_token"]
    clock.advance(timedelta(seconds=tokens["expires_in"]) - FRACTION - timedelta(milliseconds=1))
    assert (api.get("/account", token).status_code, userinfo(api, token), is_active(api, token, server)) == (
        200,
        200,
        True,
    )
    clock.advance(timedelta(milliseconds=1))
    problem(api.get("/account", token), 401, "expired")
    problem(change(api, tokens), 401, "expired")
    assert (userinfo(api, token), is_active(api, token, server)) == (401, False)
    content(api.login(), 200)  # the password is what it was


def test_a_token_of_a_node_whose_clock_is_ahead_is_good(api: Api, user_id: str, clock: ManualClock) -> None:
    """Nodes differ: `iat` keeps its leeway."""
    token = api.sign_in()["access_token"]
    clock.set_wall(clock.now() - timedelta(seconds=20))
    content(api.get("/account", token), 200)
    clock.set_wall(clock.now() - timedelta(seconds=20))
    problem(api.get("/account", token), 401, "not_yet_valid")
    problem(api.post("/logout", token=token), 401, "not_yet_valid")


def _refresh(api: Api, tokens: dict[str, Any]) -> dict[str, Any]:
    return refreshed(api, tokens)


def _retry(api: Api, tokens: dict[str, Any]) -> dict[str, Any]:
    refreshed(api, tokens)
    return refreshed(api, tokens)


@pytest.mark.parametrize("answer", [_refresh, _retry])
def test_nothing_that_is_handed_out_outlives_its_session(
    brief: Realm, clock: ManualClock, answer: Callable[[Api, dict[str, Any]], dict[str, Any]]
) -> None:
    api = Api(brief)
    first = api.sign_in()
    ends_at = int(clock.seconds()) + 3600
    clock.advance(HOUR - timedelta(seconds=40))
    last = answer(api, first)
    said = claims_of(last["access_token"])
    assert said["exp"] == claims_of(last["id_token"])["exp"] == ends_at
    assert last["expires_in"] == said["exp"] - said["iat"]
    assert last["refresh_expires_in"] <= ends_at - clock.seconds()
    # In the last second, too, a token is one that lives.
    clock.advance(timedelta(seconds=38) + timedelta(milliseconds=900))
    very_last = refreshed(api, last)
    assert (very_last["expires_in"], claims_of(very_last["access_token"])["exp"]) == (1, ends_at)
    content(api.get("/account", very_last["access_token"]), 200)
    clock.advance(timedelta(milliseconds=400))
    problem(api.get("/account", very_last["access_token"]), 401, "expired")
    assert content(refresh(api, very_last), 400)["soft_logout"] is True


def _shorten(realm: Realm, sid: str) -> None:
    """As if the tokens had been cut before the session's end was what it is: they live on, it does not."""
    with realm.database.write() as tx:
        tx.exec_driver_sql(
            # Both values are of this test.
            f"UPDATE sessions SET expires_at = {int(realm.clock.seconds()) * 1_000_000} WHERE sid = '{sid}'"  # noqa: S608
        )


def test_a_session_past_its_end_does_nothing_more(api: Api, realm: Realm, user_id: str, clock: ManualClock) -> None:
    """ASVS 7.3.2: whatever access token it still has, which is told to sign in again, softly."""
    tokens, server = api.sign_in(), register_server(realm)
    token = tokens["access_token"]
    _shorten(realm, tokens["sid"])
    assert problem(api.get("/account", token), 401, "session_revoked")["soft_logout"] is True
    problem(change(api, tokens), 401, "session_revoked")
    assert (userinfo(api, token), is_active(api, token, server)) == (401, False)
    assert api.post("/logout", token=token).status_code == 204


def test_a_code_is_worth_nothing_after_the_end_of_its_session(realm: Realm, api: Api, pages: Pages) -> None:
    app = App(pages, api, register_app(realm).client.client_id)
    code = app.authorize()
    with realm.database.read() as tx:
        (sid,) = tx.exec_driver_sql("SELECT sid FROM sessions WHERE ended_at IS NULL").scalars()
    _shorten(realm, sid)
    assert content(app.redeem(code), 400)["error"] == "invalid_grant"


def test_what_introspection_calls_active_never_ended_in_the_past(
    realm: Realm, user_id: str, pages: Pages, clock: ManualClock
) -> None:
    """Of refresh tokens, too, in the second in which they fall idle."""
    brief = dataclasses.replace(LIFETIMES, refresh_idle_lifetime=timedelta(minutes=10))
    api = Api(dataclasses.replace(realm, lifetimes=brief))
    registered = register_app(realm, kind=ClientKind.CONFIDENTIAL)
    assert registered.secret is not None
    app = App(Pages(api), api, registered.client.client_id, registered.secret.reveal())
    tokens, who = app.connect(), own_credentials(app)
    for _ in range(12):
        for name in ("access_token", "refresh_token"):
            said = content(api.client.post("/oauth/introspect", data={"token": tokens[name], **who}), 200)
            assert said == {"active": False} or said["exp"] > clock.seconds()
        clock.advance(timedelta(seconds=54, milliseconds=900))


ENDS: dict[str, tuple[Callable[[str], events.CredentialEvent] | None, bool]] = {
    "deleted": (events.UserDeleted, False),
    "disabled": (events.UserDisabled, False),
    "revoked": (events.SignedOutByAdmin, False),
    "locked": (events.UserLocked, True),
    "nothing": (None, True),
}


@pytest.mark.parametrize(("event", "soft_logout"), ENDS.values(), ids=ENDS.keys())
@pytest.mark.parametrize("late", [timedelta(minutes=6), timedelta(days=2)])
def test_an_expired_token_says_what_became_of_its_session(
    api: Api,
    realm: Realm,
    user_id: str,
    clock: ManualClock,
    event: Callable[[str], events.CredentialEvent] | None,
    soft_logout: bool,  # noqa: FBT001 - a parameter of the test
    late: timedelta,
) -> None:
    """One whose session was destroyed is not told for ever that its local data may be kept."""
    token = api.sign_in()["access_token"]
    if event is not None:
        apply_event(realm, user_id, event(user_id), by=BY)
    clock.advance(late)
    told = problem(api.get("/account", token), 401, "expired")
    assert told["soft_logout"] is soft_logout
    response = api.client.get("/oauth/userinfo", headers={"Authorization": f"Bearer {token}"})
    assert content(response, 401)["soft_logout"] is soft_logout
