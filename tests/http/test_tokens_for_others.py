"""Access tokens for any audience, at the issuer itself: who may revoke them, and who is told what they are worth."""

import pytest

from authserver.protocol.client_metadata import ClientKind
from authserver.realm import Realm
from tests.support.people.api import Api, content, problem
from tests.support.people.authorizing import App, claims_of, register_app
from tests.support.people.introspecting import BILLING, MAIL, is_active, own_credentials, register_server
from tests.support.people.pages import Pages
from tests.support.world.realm import AUDIENCE, ISSUER

REQUESTS = {
    "no resource": ({}, {AUDIENCE, ISSUER}),
    "the default one": ({"resource": AUDIENCE}, {AUDIENCE}),
    "another one": ({"resource": BILLING}, {BILLING}),
}
"""What the request names, and whom the token is for then."""


@pytest.fixture
def app(realm: Realm, api: Api, pages: Pages) -> App:
    """A confidential client that may name two resources."""
    registered = register_app(realm, kind=ClientKind.CONFIDENTIAL, audience=(BILLING, MAIL))
    assert registered.secret is not None
    return App(pages, api, registered.client.client_id, registered.secret.reveal())


@pytest.mark.parametrize(("asked", "audience"), REQUESTS.values(), ids=REQUESTS.keys())
def test_whatever_a_token_is_for_its_client_can_revoke_it(app: App, asked: dict[str, str], audience: set[str]) -> None:
    """RFC 7009 §2: 200 means that the token is dead."""
    token = app.connect(**asked)["access_token"]
    told = claims_of(token)["aud"]
    assert ({told} if isinstance(told, str) else set(told)) == audience
    assert is_active(app.api, token, own_credentials(app))
    content(app.api.client.post("/oauth/revoke", data={"token": token, **own_credentials(app)}), 200)
    assert not is_active(app.api, token, own_credentials(app))


def test_what_is_revoked_is_what_the_client_asked_for_at_a_refresh(app: App) -> None:
    """RFC 8707 §2.2: the token of one audience ends, that of the other lives."""
    tokens = app.connect(resource=BILLING)
    again = content(app.refresh(tokens["refresh_token"], resource=BILLING), 200)
    content(app.api.client.post("/oauth/revoke", data={"token": again["access_token"], **own_credentials(app)}), 200)
    assert not is_active(app.api, again["access_token"], own_credentials(app))
    assert is_active(app.api, tokens["access_token"], own_credentials(app))


@pytest.mark.parametrize(("asked", "audience"), REQUESTS.values(), ids=REQUESTS.keys())
def test_exactly_the_servers_that_a_token_names_are_told_of_it(
    app: App, realm: Realm, asked: dict[str, str], audience: set[str]
) -> None:
    """RFC 7662 §4: any other server learns nothing."""
    token = app.connect(**asked)["access_token"]
    for server in (BILLING, MAIL, AUDIENCE):
        assert is_active(app.api, token, register_server(realm, server)) is (server in audience), server
    assert is_active(app.api, token, register_server(realm)) is (AUDIENCE in audience)


def test_another_client_neither_revokes_nor_is_told(app: App, realm: Realm) -> None:
    """RFC 7009 §2.1, RFC 7662 §2.1."""
    token = app.connect(resource=BILLING)["access_token"]
    stranger = register_app(realm, "Stranger", kind=ClientKind.CONFIDENTIAL, audience=(BILLING,))
    assert stranger.secret is not None
    who = {"client_id": stranger.client.client_id, "client_secret": stranger.secret.reveal()}
    refused = content(app.api.client.post("/oauth/revoke", data={"token": token, **who}), 400)
    assert refused["error"] == "invalid_grant"
    assert not is_active(app.api, token, who)
    assert is_active(app.api, token, own_credentials(app))


@pytest.mark.parametrize("call", ["GET /account", "POST /logout", "POST /logout/all"])
def test_a_token_for_others_does_nothing_to_the_account(api: Api, user_id: str, call: str) -> None:
    """Contract §1: a resource server that is shown a token can neither read the account nor sign its user out."""
    tokens = api.sign_in()
    form = {"grant_type": "refresh_token", "client_id": "first-party", "refresh_token": tokens["refresh_token"]}
    others = content(api.client.post("/oauth/token", data={**form, "resource": AUDIENCE}), 200)["access_token"]
    method, path = call.split()
    problem(api.call(method, path, others), 401, "wrong_audience")
    content(api.get("/account", tokens["access_token"]), 200)


def test_a_token_for_others_is_told_nothing_by_userinfo(app: App) -> None:
    """OpenID Connect Core §5.3: the issuer is the audience there."""
    token = app.connect(resource=BILLING)["access_token"]
    refused = app.api.client.get("/oauth/userinfo", headers={"Authorization": f"Bearer {token}"})
    assert content(refused, 401)["error"] == "invalid_token"
