"""`grant_type=authorization_code`: what a code is worth, to whom, for how long (RFC 6749 §4.1.3, RFC 7636)."""

from datetime import timedelta

import pytest

from authserver.administration.manage_user import apply_event
from authserver.clients.client_standing import disable_client, enable_client
from authserver.credentials import events
from authserver.credentials.events import CredentialEvent
from authserver.grants.authorization_code import MOST_FAMILIES
from authserver.protocol.client_metadata import ClientKind
from authserver.realm import Realm
from tests.support.people.api import Api
from tests.support.people.authorizing import CHALLENGE, VERIFIER, App, answered, claims_of, register_app
from tests.support.people.pages import Pages, dump
from tests.support.people.person import BY
from tests.support.world.clock import ManualClock
from tests.support.world.realm import ISSUER

OTHER_VERIFIER = VERIFIER[:-1] + "2"


@pytest.fixture
def app(realm: Realm, api: Api, pages: Pages) -> App:
    """A public client."""
    return App(pages, api, register_app(realm).client.client_id)


WRONG: dict[str, dict[str, str | None]] = {
    "another verifier": {"code_verifier": OTHER_VERIFIER},
    "the challenge as verifier": {"code_verifier": CHALLENGE},
    "a verifier that is too short": {"code_verifier": VERIFIER[:42]},
    "a verifier that is too long": {"code_verifier": VERIFIER * 3},
    "a verifier in other characters": {"code_verifier": VERIFIER[:-1] + "+"},
    "another redirect URI": {"redirect_uri": "https://app.example/callback/"},
    "an unknown code": {"code": "A" * 43},
    "a code that is too long": {"code": "A" * 4000},
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
def test_who_cannot_prove_it_gets_nothing_and_ends_nothing(app: App, wrong: dict[str, str | None]) -> None:
    """ASVS 10.4.6, 10.4.2, RFC 7636 §4.1, §4.4, §4.6, RFC 9700 §4.8.2; the rightful client still can use it."""
    code = app.authorize()
    refused = app.redeem(code, **wrong)
    assert (refused.status_code, refused.json and refused.json["error"]) == (400, "invalid_grant")
    tokens = app.redeem(code)
    assert tokens.status_code == 200
    assert app.redeem(code, **wrong).status_code == 400
    assert tokens.json is not None
    assert app.refresh(tokens.json["refresh_token"]).status_code == 200


@pytest.mark.parametrize("missing", ["code", "code_verifier"])
def test_nothing_may_be_left_out(app: App, missing: str) -> None:
    """ASVS 10.4.6, RFC 7636 §4.5: no verifier, no token."""
    left_out: dict[str, str | None] = {missing: None}
    code = app.authorize()
    refused = app.redeem(code if missing != "code" else "", **left_out)
    assert (refused.status_code, refused.json and refused.json["error"]) == (400, "invalid_request")
    assert app.redeem(code).status_code == 200


def test_a_second_right_use_ends_what_the_first_gave(app: App, api: Api) -> None:
    """ASVS 10.4.2, RFC 9700 §4.5: access token and refresh token; the browser's session lives."""
    code = app.authorize(scope="openid read offline_access")
    first = app.redeem(code).json
    assert first is not None
    assert app.redeem(code).status_code == 400
    assert app.refresh(first["refresh_token"]).status_code == 400
    assert app.redeem(app.authorize(prompt="none")).status_code == 200


def test_a_code_lives_for_a_minute(app: App, clock: ManualClock) -> None:
    """ASVS 10.4.3."""
    code, late = app.authorize(), app.authorize()
    clock.advance(timedelta(seconds=59))
    assert app.redeem(code).status_code == 200
    clock.advance(timedelta(seconds=1))
    assert app.redeem(late).status_code == 400


def test_a_code_is_for_the_client_that_asked(realm: Realm, api: Api, app: App) -> None:
    """RFC 6749 §4.1.3: another one, with everything else right, gets nothing and ends nothing."""
    other = App(app.pages, api, register_app(realm, "Other").client.client_id)
    code = app.authorize()
    assert other.redeem(code).status_code == 400
    assert app.redeem(code).status_code == 200


def test_a_confidential_client_proves_itself(realm: Realm, api: Api, pages: Pages) -> None:
    """ASVS 10.4.10: no secret or a wrong one gives 401, and burns no code."""
    registered = register_app(realm, kind=ClientKind.CONFIDENTIAL)
    assert registered.secret is not None
    app = App(pages, api, registered.client.client_id, registered.secret.reveal())
    code = app.authorize()
    assert app.redeem(code, client_secret=None).status_code == 401
    assert app.redeem(code, client_secret="wrong").status_code == 401
    assert app.redeem(code).status_code == 200


@pytest.mark.parametrize("kind", [ClientKind.DEVICE, ClientKind.RESOURCE_SERVER])
def test_the_grant_is_for_clients_that_redirect(realm: Realm, api: Api, app: App, kind: ClientKind) -> None:
    """ASVS 10.4.4."""
    other = register_app(realm, "Other", kind=kind, redirect_uris=())
    secret = None if other.secret is None else other.secret.reveal()
    refused = App(app.pages, api, other.client.client_id, secret).redeem(app.authorize())
    assert refused.json is not None
    assert refused.json["error"] == "unauthorized_client"


EVENTS: dict[str, CredentialEvent] = {
    "locked": events.UserLocked(""),
    "disabled": events.UserDisabled(""),
    "signed out everywhere": events.SignedOutEverywhere(""),
    "factors changed": events.MfaChanged(""),
    "deleted": events.UserDeleted(""),
}


@pytest.mark.parametrize("event", EVENTS.values(), ids=EVENTS.keys())
def test_codes_die_with_what_ends_their_session(app: App, realm: Realm, user_id: str, event: CredentialEvent) -> None:
    """Design §5: events that change credentials or standing, or reach others or all."""
    code = app.authorize()
    apply_event(realm, user_id, type(event)(user_id), by=BY)  # type: ignore[call-arg]  # each of these is about a user alone
    assert app.redeem(code).status_code == 400


def test_new_roles_leave_a_code_alone(app: App, realm: Realm, user_id: str) -> None:
    """Design §5: roles end nothing; what the code gives carries them."""
    code = app.authorize()
    apply_event(realm, user_id, events.RolesChanged(user_id, ("auditor",)), by=BY)
    assert app.redeem(code).status_code == 200


def test_a_code_from_before_its_client_was_disabled_stays_dead(app: App, realm: Realm, clock: ManualClock) -> None:
    code = app.authorize()
    disable_client(realm, app.client_id, BY)
    enable_client(realm, app.client_id)
    clock.advance(timedelta(seconds=6))
    assert app.redeem(code).status_code == 400


def test_nothing_usable_is_stored(app: App, realm: Realm) -> None:
    """ASVS 6.5.2, 7.2.3: neither the code nor the cookie stands in any table."""
    code = app.authorize()
    stored = repr(dump(realm))
    for secret in (code, app.pages.cookie("authserver"), VERIFIER):
        assert secret not in stored


def test_tokens_are_for_the_resource_that_was_asked_for(realm: Realm, api: Api, pages: Pages) -> None:
    """RFC 8707 §2.1, §2.2, ASVS 9.2.4: of those authorized one may be picked, and no other."""
    notes, mail = "https://notes.example", "https://mail.example"
    client = register_app(realm, audience=(notes, mail)).client
    app = App(pages, api, client.client_id, asks={"scope": "read offline_access"})
    code = app.authorize(resource=notes)
    refused = app.redeem(code, resource=mail).json
    assert refused is not None
    assert refused["error"] == "invalid_target"
    tokens = app.redeem(code, resource=notes).json
    assert tokens is not None
    assert claims_of(tokens["access_token"])["aud"] == notes
    assert claims_of(app.connect()["access_token"])["aud"] == f"{ISSUER}/api"


def test_a_refresh_may_pick_one_of_the_resources(realm: Realm, api: Api, pages: Pages) -> None:
    """RFC 8707 §2.2: a narrower access token, not a narrower family."""
    notes, mail = "https://notes.example", "https://mail.example"
    app = App(pages, api, register_app(realm, audience=(notes, mail)).client.client_id)
    page = app.sign_in(
        app.follow(pages.get(app.link(scope="read offline_access", resource=notes) + f"&resource={mail}"))
    )
    tokens = app.redeem(answered(app.decide(page))["code"]).json
    assert tokens is not None
    assert claims_of(tokens["access_token"])["aud"] == [notes, mail]
    refused = app.refresh(tokens["refresh_token"], resource="https://elsewhere.example")
    assert refused.json is not None
    assert refused.json["error"] == "invalid_target"
    narrow = app.refresh(tokens["refresh_token"], resource=mail).json
    assert narrow is not None
    assert claims_of(narrow["access_token"])["aud"] == mail
    wide = app.refresh(narrow["refresh_token"]).json
    assert wide is not None
    assert claims_of(wide["access_token"])["aud"] == [notes, mail]


def test_a_page_that_is_loaded_again_and_again_piles_nothing_up(app: App, realm: Realm, clock: ManualClock) -> None:
    """Each load asks for a code; of the families that come of it the last ones used live."""
    first = last = app.connect()
    for _ in range(MOST_FAMILIES):
        clock.advance(timedelta(seconds=1))
        last = app.connect(prompt="none")
    refused = app.refresh(first["refresh_token"]).json
    assert refused is not None
    assert (refused["error"], refused["soft_logout"]) == ("invalid_grant", True)
    assert app.refresh(last["refresh_token"]).status_code == 200
