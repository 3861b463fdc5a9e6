"""What an ID token holds, and under which algorithm: by client, by scope, and by what the request asks for."""

import dataclasses
import hashlib
import json
from typing import Any

import jwt
import pytest
from sqlalchemy import update

from authserver.authorization.request import ClientRequest, validate_request
from authserver.credentials.events import RolesChanged
from authserver.jose.algorithms import ALGORITHMS
from authserver.protocol import base64url
from authserver.protocol.entropy import Entropy
from authserver.realm import Realm
from authserver.records.user import Profile
from authserver.storage import users
from authserver.storage.schema import User
from tests.support.people.api import Api, content
from tests.support.people.authorizing import App, answered, claims_of, register_app
from tests.support.people.pages import Pages
from tests.support.people.person import BY
from tests.support.world.clock import ManualClock
from tests.support.world.realm import EMAIL, ISSUER, hold_two_algorithms

FIRST = "openid offline_access"
ABOUT_USERS = {"name", "given_name", "family_name", "preferred_username", "updated_at", "email", "email_verified"}


@pytest.fixture
def app(realm: Realm, api: Api, pages: Pages) -> App:
    return App(pages, api, register_app(realm).client.client_id)


def about_user(id_token: str) -> dict[str, Any]:
    return {name: value for name, value in claims_of(id_token).items() if name in {*ABOUT_USERS, "roles", "groups"}}


# --- about the user --------------------------------------------------------------------------------------------------


def test_it_says_nothing_about_the_user_unasked(app: App) -> None:
    """OpenID Connect Core §5.4: with an access token, the scopes speak of userinfo."""
    assert about_user(app.connect(scope="openid profile email offline_access")["id_token"]) == {}


def test_a_client_can_have_name_and_address_in_it(realm: Realm, api: Api, pages: Pages, user_id: str) -> None:
    """As far as the scope allows, in each one; and as they are now, also after a refresh."""
    app = App(pages, api, register_app(realm, id_token_claims=True).client.client_id)
    tokens = app.connect(scope="openid profile email offline_access")
    told = about_user(tokens["id_token"])
    assert (told["name"], told["email"], told["email_verified"]) == ("Ada", EMAIL, True)
    with realm.database.write() as tx:
        users.write_profile(tx, user_id, Profile(name="Countess"), realm.clock.now())
    refreshed = content(app.refresh(tokens["refresh_token"]), 200)
    assert about_user(refreshed["id_token"])["name"] == "Countess"
    assert about_user(app.connect(scope="openid email")["id_token"]).keys() == {"email", "email_verified"}


def test_claims_that_are_asked_for_by_name_are_in_it(app: App) -> None:
    """OpenID Connect Core §5.5: in the first one; voluntary and essential claims alike."""
    wish = {"id_token": {"email": {"essential": True}, "name": None}}
    tokens = app.connect(scope="openid profile email offline_access", claims=json.dumps(wish))
    assert about_user(tokens["id_token"]) == {"email": EMAIL, "name": "Ada"}


def test_a_claim_asks_for_the_scope_behind_it(app: App, api: Api) -> None:
    """OpenID Connect Core §5.5: the person is asked for it, and the answer says what was granted."""
    wish = json.dumps({"userinfo": {"email": None}})
    tokens = app.connect(scope=FIRST, claims=wish)
    assert set(tokens["scope"].split()) == {"openid", "offline_access", "email"}
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert content(api.client.get("/oauth/userinfo", headers=headers), 200)["email"] == EMAIL


@pytest.mark.parametrize(
    ("scope", "asked"), [("openid", ("openid", "email")), ("email openid", ("email", "openid")), ("read", ("read",))]
)
def test_a_scope_is_asked_for_once_and_only_with_openid(
    realm: Realm, app: App, scope: str, asked: tuple[str, ...]
) -> None:
    wish = {place: {"email": None, "sub": None} for place in ("id_token", "userinfo")}
    request = validate_request(realm, app.link(scope=scope, claims=json.dumps(wish)).partition("?")[2])
    assert isinstance(request, ClientRequest)
    assert request.access.scope == asked


def test_a_claim_that_the_client_may_not_ask_for_is_ignored(realm: Realm, api: Api, pages: Pages) -> None:
    app = App(pages, api, register_app(realm, scope=("openid",)).client.client_id)
    wish = {place: {"email": {"essential": True}, "sub": None} for place in ("id_token", "userinfo")}
    tokens = app.connect(scope="openid", claims=json.dumps(wish))
    assert (tokens["scope"], about_user(tokens["id_token"])) == ("openid", {})


def test_another_user_than_asked_for_is_refused(app: App, user_id: str) -> None:
    """OpenID Connect Core §5.5.1: `sub` with a value."""
    right = json.dumps({"id_token": {"sub": {"value": user_id}}})
    assert claims_of(app.connect(claims=right)["id_token"])["sub"] == user_id
    wrong = json.dumps({"id_token": {"sub": {"value": "somebody-else"}}})
    assert answered(app.send(claims=wrong, prompt="none"))["error"] == "login_required"


def test_names_of_people(realm: Realm, app: App, api: Api, user_id: str) -> None:
    """OpenID Connect Core §5.1: accounts are called by the address, if it was proven and the client may see it."""

    def tell(scope: str) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {app.connect(scope=scope)['access_token']}"}
        return content(api.client.get("/oauth/userinfo", headers=headers), 200)

    assert "preferred_username" not in tell("openid profile")
    assert tell("openid profile email")["preferred_username"] == EMAIL
    names = {"given_name": "Ada", "family_name": "Lovelace"}
    with realm.database.write() as tx:
        users.write_profile(tx, user_id, Profile(**names), realm.clock.now())
    told = tell("openid profile email")
    assert {name: told[name] for name in names} == names
    with realm.database.write() as tx:
        tx.execute(update(User).values(email_verified=False))
    assert "preferred_username" not in tell("openid profile email")


def test_what_discovery_names_can_be_got(realm: Realm, api: Api, pages: Pages, user_id: str) -> None:
    """OpenID Connect Discovery §3."""
    filled = {field.name: "x" for field in dataclasses.fields(Profile)}
    with realm.database.write() as tx:
        users.write_profile(tx, user_id, Profile(**filled), realm.clock.now())
    scope = ("openid", "profile", "email", "address", "phone")
    app = App(pages, api, register_app(realm, scope=scope).client.client_id)
    tokens = app.connect(scope=" ".join(scope), nonce="n")
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    got = {*claims_of(tokens["id_token"]), *content(api.client.get("/oauth/userinfo", headers=headers), 200)}
    assert set(content(api.client.get("/.well-known/openid-configuration"), 200)["claims_supported"]) <= got


# --- names that an operator chose ------------------------------------------------------------------------------------


def test_roles_are_told_under_the_names_that_an_operator_chose(realm: Realm, api: Api, pages: Pages) -> None:
    """In the ID token, at userinfo and in the access token, and nowhere for a client without such a name."""
    names = {"groups": "roles", "https://app.example/roles": "roles", "roles": "roles"}
    plain, mapped = (
        App(pages, api, register_app(realm, claim_names=claim_names).client.client_id) for claim_names in ({}, names)
    )
    with realm.database.write() as tx:
        user = users.find_by_email(tx, EMAIL)
        assert user is not None
    _give_roles(realm, user.user_id, "editor", "viewer")
    for app, expected in ((plain, {}), (mapped, {name: ["editor", "viewer"] for name in names})):
        tokens = app.connect()
        headers = {"Authorization": f"Bearer {tokens['access_token']}"}
        userinfo = content(api.client.get("/oauth/userinfo", headers=headers), 200)
        for told in (claims_of(tokens["id_token"]), userinfo):
            assert {name: told[name] for name in names if name in told} == expected
        access = claims_of(tokens["access_token"])
        assert {name: access[name] for name in names if name in access} == {"roles": ["editor", "viewer"], **expected}


def _give_roles(realm: Realm, user_id: str, *roles: str) -> None:
    with realm.database.write() as tx:
        realm.revocation.apply(tx, RolesChanged(user_id, roles), by=BY, now=realm.clock.now())


def test_a_user_without_roles_has_no_such_claim(realm: Realm, api: Api, pages: Pages) -> None:
    app = App(pages, api, register_app(realm, claim_names={"groups": "roles"}).client.client_id)
    tokens = app.connect()
    assert "groups" not in {**claims_of(tokens["id_token"]), **claims_of(tokens["access_token"])}


# --- algorithm -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", [algorithm.name for algorithm in ALGORITHMS if algorithm.name != "RS256"])
def test_a_client_gets_the_algorithm_that_it_asks_for(
    realm: Realm, user_id: str, clock: ManualClock, entropy: Entropy, algorithm: str
) -> None:
    """OpenID Connect Registration §2; `at_hash` fits it (Core §3.1.3.6). The access token keeps that of the server."""
    realm = dataclasses.replace(realm, keyring=hold_two_algorithms(clock, entropy))
    api = Api(realm)
    app = App(Pages(api), api, register_app(realm, id_token_signed_response_alg=algorithm).client.client_id)
    first = app.connect()
    for tokens in (first, content(app.refresh(first["refresh_token"]), 200)):
        assert jwt.get_unverified_header(tokens["access_token"])["alg"] == "ES256"
        header = jwt.get_unverified_header(tokens["id_token"])
        assert header["alg"] == algorithm
        key = jwt.PyJWKSet.from_json(api.client.get("/.well-known/jwks.json").text)[header["kid"]]
        by_hand: Any = {"verify_exp": False, "verify_iat": False}  # time stands still here
        claims = jwt.decode(
            tokens["id_token"], key, [algorithm], audience=app.client_id, issuer=ISSUER, options=by_hand
        )
        hashed = hashlib.new(
            {"ES256": "sha256", "EdDSA": "sha512"}[algorithm], tokens["access_token"].encode()
        ).digest()
        assert claims["at_hash"] == base64url.encode(hashed[: len(hashed) // 2])
    assert api.client.get(f"/oauth/logout?id_token_hint={first['id_token']}").status_code in {200, 303}
    document = content(api.client.get("/.well-known/openid-configuration"), 200)
    assert document["id_token_signing_alg_values_supported"] == ["ES256", "EdDSA"]
