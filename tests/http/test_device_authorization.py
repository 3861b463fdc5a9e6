"""`POST /oauth/device_authorization`, and the polls of a device at the token endpoint (RFC 8628)."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest

from authserver.account.connected_apps import disconnect
from authserver.authentication.bearer import Bearer, authenticate_bearer
from authserver.clients.client_standing import disable_client, enable_client
from authserver.credentials import events
from authserver.credentials.events import CredentialEvent
from authserver.protocol.client_metadata import ClientKind
from authserver.protocol.device_code import DEVICE_GRANT
from authserver.realm import Realm
from authserver.records.audit import Actor
from tests.support.people.api import Api, content
from tests.support.people.authorizing import claims_of, register_app
from tests.support.people.credentials import carry_out
from tests.support.people.pages import Pages, dump
from tests.support.people.television import SCOPE, Television, Viewer, register_television
from tests.support.world.clock import ManualClock
from tests.support.world.proofs import ProofKey
from tests.support.world.realm import ISSUER

INTERVAL = timedelta(seconds=5)


@pytest.fixture
def client_id(realm: Realm) -> str:
    """A client for televisions."""
    return register_television(realm)


@pytest.fixture
def television(api: Api, client_id: str) -> Television:
    """One that shows its code."""
    return Television(api, client_id).begin()


@pytest.fixture
def viewer(pages: Pages) -> Viewer:
    """Ada, at her browser."""
    return Viewer(pages)


# --- the request ------------------------------------------------------------------------------------------------------


def test_a_device_gets_its_codes(api: Api, client_id: str) -> None:
    """RFC 8628 §3.1, §3.2: all members, for ten minutes, and nobody keeps the answer."""
    response = Television(api, client_id).ask(scope="openid watch")
    codes = content(response, 200)
    assert response.headers["Cache-Control"] == "no-store"
    assert len(codes["device_code"]) == 43  # 256 bits: RFC 8628 §5.2
    letters = codes["user_code"].replace("-", "")
    assert (len(letters), codes["user_code"][4]) == (8, "-")
    assert set(letters) <= set("BCDFGHJKLMNPQRSTVWXZ")
    assert codes["verification_uri"] == f"{ISSUER}/device"
    assert codes["verification_uri_complete"] == f"{ISSUER}/device?user_code={codes['user_code']}"
    assert (codes["expires_in"], codes["interval"]) == (600, 5)


def test_discovery_names_the_endpoint_and_the_grant(api: Api) -> None:
    """RFC 8628 §4."""
    document = json.loads(api.client.get("/.well-known/oauth-authorization-server").text)
    assert document["device_authorization_endpoint"] == f"{ISSUER}/oauth/device_authorization"
    assert DEVICE_GRANT in document["grant_types_supported"]


def test_what_a_device_may_not_ask_for_is_refused(api: Api, client_id: str) -> None:
    """RFC 6749 §5.2; scopes that nobody here understands are ignored, as at the authorization endpoint."""
    television = Television(api, client_id)
    assert content(television.ask(scope="email"), 400)["error"] == "invalid_scope"
    assert content(television.ask(scope="unheard-of"), 400)["error"] == "invalid_scope"
    assert content(television.ask(resource="https://elsewhere.example"), 400)["error"] == "invalid_target"
    assert content(Television(api, "unknown").ask(), 401)["error"] == "invalid_client"
    assert content(Television(api, "").ask(), 401)["error"] == "invalid_client"
    assert television.ask(scope="watch unheard-of").status_code == 200


@pytest.mark.parametrize("kind", [kind for kind in ClientKind if kind is not ClientKind.DEVICE])
def test_the_grant_is_for_clients_of_devices(realm: Realm, api: Api, television: Television, kind: ClientKind) -> None:
    """ASVS 10.4.4: at both endpoints."""
    uris = () if kind in {ClientKind.RESOURCE_SERVER, ClientKind.SERVICE} else ("https://app.example/callback",)
    registered = register_app(realm, kind=kind, redirect_uris=uris, scope=("read",))
    proof = {} if registered.secret is None else {"client_secret": registered.secret.reveal()}
    other = Television(api, registered.client.client_id, television.codes)
    assert content(other.ask(**proof), 400)["error"] == "unauthorized_client"
    assert other.hear(**proof) == "unauthorized_client"


def test_no_device_gets_the_scope_admin(realm: Realm, api: Api, viewer: Viewer) -> None:
    """Design §9a: whatever its client may have, whatever its user may; nobody gives that to what they may not see."""
    client_id = register_television(realm, scope=(*SCOPE, "admin"), first_party=True)
    television = Television(api, client_id)
    assert content(television.ask(scope="openid admin"), 400)["error"] == "invalid_scope"
    viewer.allow(television.begin())
    assert content(television.poll(), 200)["scope"] == " ".join(SCOPE)


def test_a_copy_of_the_database_has_no_code(television: Television, realm: Realm) -> None:
    """RFC 8628 §5.2: one code is a digest, the other a tag of a key that is not there."""
    stored = repr(dump(realm))
    assert television.codes["device_code"] not in stored
    assert television.user_code not in stored
    assert television.user_code.replace("-", "") not in stored


# --- polling ----------------------------------------------------------------------------------------------------------


def test_a_device_waits_until_somebody_allows_it(television: Television, viewer: Viewer, clock: ManualClock) -> None:
    """RFC 8628 §3.4, §3.5: 400 until then, and afterwards the tokens of a session of its own."""
    assert television.hear() == "authorization_pending"
    clock.advance(INTERVAL)
    page = viewer.claim(television.user_code)
    assert television.hear() == "authorization_pending"
    viewer.decide(page)
    response = television.poll()
    assert response.headers["Cache-Control"] == "no-store"
    tokens = content(response, 200)
    assert tokens["scope"] == " ".join(SCOPE)
    assert content(television.refresh(tokens["refresh_token"]), 200)
    identity = claims_of(tokens["id_token"])
    assert (identity["aud"], identity["sid"]) == (television.client_id, tokens["sid"])


def test_who_asks_too_often_waits_longer(television: Television, clock: ManualClock) -> None:
    """RFC 8628 §3.5: five seconds more for this and all later polls."""
    assert television.hear() == "authorization_pending"
    clock.advance(INTERVAL - timedelta(seconds=1))
    assert television.hear() == "slow_down"
    clock.advance(timedelta(seconds=9))
    assert television.hear() == "slow_down"  # ten seconds now, and fifteen from here
    clock.advance(timedelta(seconds=15))
    assert television.hear() == "authorization_pending"


def test_a_poll_that_the_network_hastened_is_in_time(television: Television, clock: ManualClock) -> None:
    assert television.hear() == "authorization_pending"
    clock.advance(INTERVAL - timedelta(milliseconds=400))
    assert television.hear() == "authorization_pending"


def test_an_allowed_device_does_not_wait_for_the_interval(television: Television, viewer: Viewer) -> None:
    television.hear()
    viewer.allow(television)
    assert television.poll().status_code == 200


def test_a_device_hears_that_it_was_not_allowed(television: Television, viewer: Viewer) -> None:
    """RFC 8628 §3.5: each time that it asks."""
    viewer.decide(viewer.claim(television.user_code), "deny")
    assert [television.hear(), television.hear()] == ["access_denied", "access_denied"]


def test_codes_live_for_ten_minutes(television: Television, viewer: Viewer, clock: ManualClock) -> None:
    """RFC 8628 §3.5: also one that was allowed and not fetched."""
    viewer.allow(television)
    clock.advance(timedelta(minutes=10))
    assert television.hear() == "expired_token"


def test_an_expired_code_cannot_be_allowed(television: Television, viewer: Viewer, clock: ManualClock) -> None:
    page = viewer.claim(television.user_code)
    clock.advance(timedelta(minutes=10))
    assert "Connect a device" in viewer.decide(page).text
    assert television.hear() == "expired_token"


def test_a_code_is_exchanged_once(television: Television, viewer: Viewer) -> None:
    """A second poll gets nothing and ends nothing: a device may have sent it twice."""
    viewer.allow(television)
    tokens = content(television.poll(), 200)
    assert television.hear() == "invalid_grant"
    assert television.refresh(tokens["refresh_token"]).status_code == 200


def test_a_device_that_proves_a_key_gets_tokens_for_it(
    television: Television, viewer: Viewer, clock: ManualClock
) -> None:
    """RFC 9449 §5: access and refresh token are bound to it, and a poll is not repeated by who saw it."""
    key = ProofKey()

    def prove() -> str:
        return key.prove("POST", f"{ISSUER}/oauth/token", clock.seconds())

    proof = prove()
    assert content(television.poll(proof), 400)["error"] == "authorization_pending"
    viewer.allow(television)
    assert content(television.poll(proof), 400)["error"] == "invalid_dpop_proof"
    tokens = content(television.poll(prove()), 200)
    assert tokens["token_type"] == "DPoP"
    assert content(television.refresh(tokens["refresh_token"]), 400)["error"] == "invalid_grant"
    assert television.refresh(tokens["refresh_token"], prove()).status_code == 200


def test_a_code_is_for_its_client(realm: Realm, api: Api, television: Television, viewer: Viewer) -> None:
    viewer.allow(television)
    other = Television(api, register_television(realm), television.codes)
    assert other.hear() == "invalid_grant"
    assert television.poll().status_code == 200


@pytest.mark.parametrize("device_code", ["x", "A" * 43, "\N{SNOWMAN}"])
def test_a_made_up_code_is_no_code(television: Television, device_code: str) -> None:
    assert television.hear(device_code=device_code) == "invalid_grant"
    assert television.hear(device_code="") == "invalid_request"


def test_any_node_answers(realm: Realm, television: Television, viewer: Viewer) -> None:
    viewer.allow(television)
    assert Television(Api(realm), television.client_id, television.codes).poll().status_code == 200


# --- the session ------------------------------------------------------------------------------------------------------


def test_the_device_has_a_session_of_its_own(realm: Realm, api: Api, television: Television, viewer: Viewer) -> None:
    """Design §9a: never the approver's, which neither ends with it nor ends it."""
    viewer.allow(television)
    tokens = content(television.poll(), 200)
    owner = api.sign_in()
    sessions = content(api.get("/account/sessions", owner["access_token"]), 200)["sessions"]
    device = next(one for one in sessions if one["sid"] == tokens["sid"])
    assert (device["device_name"], device["clients"], device["ip"]) == (
        "Television",
        [television.client_id],
        "198.51.100.7",
    )
    assert len({one["device_id"] for one in sessions}) == len(sessions) == 3
    viewer.pages.open_and_send("/logout")
    assert television.refresh(tokens["refresh_token"]).status_code == 200
    assert api.call("DELETE", f"/account/sessions/{tokens['sid']}", owner["access_token"]).status_code == 204
    assert television.refresh(tokens["refresh_token"]).status_code == 400


def test_the_tokens_say_when_and_how_the_person_signed_in(
    realm: Realm, television: Television, viewer: Viewer, clock: ManualClock
) -> None:
    """The device proved nothing, so `auth_time` is that of the person, before the poll."""
    at = int(clock.now().timestamp())
    viewer.allow(television)
    clock.advance(timedelta(minutes=1))
    tokens = content(television.poll(), 200)
    claims = claims_of(tokens["access_token"])
    assert (claims["auth_time"], claims["acr"], claims["amr"]) == (at, "urn:authserver:acr:password", ["pwd"])
    assert claims_of(content(television.refresh(tokens["refresh_token"]), 200)["id_token"])["auth_time"] == at
    bearer = authenticate_bearer(realm, tokens["access_token"])
    assert not isinstance(bearer, Bearer)  # of a client that is not first-party: no account API


def test_without_offline_access_the_device_gets_no_refresh_token(api: Api, client_id: str, viewer: Viewer) -> None:
    television = Television(api, client_id).begin(scope="openid watch")
    viewer.allow(television)
    tokens = content(television.poll(), 200)
    assert "refresh_token" not in tokens
    assert tokens["scope"] == "openid watch"


def test_tokens_are_for_the_resource_that_was_asked_for(realm: Realm, api: Api, viewer: Viewer) -> None:
    """RFC 8707 §2."""
    films = "https://films.example"
    television = Television(api, register_television(realm, audience=(films,))).begin(scope="watch", resource=films)
    viewer.allow(television)
    assert claims_of(content(television.poll(), 200)["access_token"])["aud"] in ([films], films)


# --- what ends it -----------------------------------------------------------------------------------------------------

ENDING: dict[str, Callable[[str], CredentialEvent]] = {
    "the password": lambda user_id: events.PasswordSetByAdmin(user_id, "hash"),
    "the address": lambda user_id: events.EmailChanged(user_id, "ada@example.net"),
    "factors": events.MfaChanged,
    "everywhere": events.SignedOutEverywhere,
    "by an administrator": events.SignedOutByAdmin,
    "locked": events.UserLocked,
    "disabled": events.UserDisabled,
}


@pytest.mark.parametrize("happen", ENDING.values(), ids=ENDING)
@pytest.mark.parametrize("is_allowed", [True, False])
def test_a_code_ends_with_what_happens_to_who_claimed_it(
    realm: Realm,
    television: Television,
    viewer: Viewer,
    user_id: str,
    happen: Callable[[str], CredentialEvent],
    is_allowed: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """Design §5: whatever is still in flight is killed; the device begins again."""
    page = viewer.claim(television.user_code)
    if is_allowed:
        viewer.decide(page)
    carry_out(realm, happen(user_id), user_id)
    assert television.hear() == "expired_token"
    if not is_allowed:
        assert "is connected" not in viewer.decide(page).text
        assert television.hear() == "expired_token"


def test_a_deleted_user_leaves_no_code(realm: Realm, television: Television, viewer: Viewer, user_id: str) -> None:
    viewer.allow(television)
    carry_out(realm, events.UserDeleted(user_id), user_id)
    assert television.hear() in {"expired_token", "invalid_grant"}


def test_a_code_that_nobody_claimed_is_nobodys(realm: Realm, television: Television, user_id: str) -> None:
    carry_out(realm, events.SignedOutEverywhere(user_id), user_id)
    assert television.hear() == "authorization_pending"


def test_new_roles_leave_it_alone(realm: Realm, television: Television, viewer: Viewer, user_id: str) -> None:
    viewer.allow(television)
    carry_out(realm, events.RolesChanged(user_id, ("editor",)), user_id)
    assert claims_of(content(television.poll(), 200)["access_token"])["roles"] == ["editor"]


def test_the_approver_may_sign_out_before_the_device_asks(television: Television, viewer: Viewer) -> None:
    """Of a borrowed browser, at once: the device has a session of its own."""
    viewer.allow(television)
    viewer.pages.open_and_send("/logout")
    assert television.poll().status_code == 200


def test_disconnecting_the_app_ends_what_waits(
    realm: Realm, api: Api, television: Television, viewer: Viewer, user_id: str
) -> None:
    viewer.allow(television)
    bearer = authenticate_bearer(realm, api.sign_in()["access_token"])
    assert isinstance(bearer, Bearer)
    assert disconnect(realm, bearer, television.client_id, "127.0.0.1") == 0
    assert television.hear() == "expired_token"


@pytest.mark.parametrize("is_allowed", [True, False])
def test_a_code_from_before_its_client_was_disabled_stays_dead(
    realm: Realm,
    television: Television,
    viewer: Viewer,
    clock: ManualClock,
    is_allowed: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    page = viewer.claim(television.user_code)
    if is_allowed:
        viewer.decide(page)
    disable_client(realm, television.client_id, Actor("cli"))
    enable_client(realm, television.client_id, by=Actor("cli"))
    clock.advance(timedelta(seconds=6))
    if not is_allowed:
        assert "connected" not in viewer.decide(page).text
    assert television.hear() == "invalid_grant"


# --- limits -----------------------------------------------------------------------------------------------------------


def test_a_flood_of_requests_is_turned_away_by_address(realm: Realm, client_id: str) -> None:
    television = Television(Api(realm, "1 per 10 minutes"), client_id)
    answers = [television.ask(scope="email").status_code for _ in range(101)]
    assert set(answers[:-1]) == {400}
    assert answers[-1] == 429
    assert television.ask(ip="203.0.113.9").status_code == 200
