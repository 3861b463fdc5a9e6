"""A pairwise client sees no name of a user or a session that another client could see, and its tokens still end."""

import json
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import delete, select

from authserver.administration.manage_user import apply_event
from authserver.credentials.events import EVENTS, CredentialEvent, SignedOutEverywhere, UserLocked, UserUnlocked
from authserver.credentials.representative import represent
from authserver.keyring.issuer import issue_access_token
from authserver.protocol.claims import UserToken
from authserver.protocol.client_metadata import ClientKind
from authserver.protocol.revocation_feed import read_page
from authserver.realm import Realm
from authserver.records.client import Client
from authserver.revocation.feed import RevocationFeed, feed_window
from authserver.storage.schema import RefreshTokenFamily
from authserver.verifier.feed_state import FeedState
from tests.support.people.api import Api, content
from tests.support.people.authorizing import App, claims_of
from tests.support.people.authorizing import register_app as register_with_secret
from tests.support.people.introspecting import is_active, own_credentials, register_server
from tests.support.people.pages import Pages
from tests.support.people.person import BY
from tests.support.people.relying_party import Browser, register_app
from tests.support.world.realm import AUDIENCE, ISSUER


@pytest.fixture
def browser(realm: Realm, user_id: str) -> Browser:
    return Browser(realm, user_id)


@pytest.fixture
def pairwise(realm: Realm) -> Client:
    return register_app(realm, "Pairwise", pairwise=True)


def read_user_token(access_token: str) -> UserToken:
    """The claims of an access token, as a verifier reads them."""
    claims = claims_of(access_token)
    names = UserToken.__dataclass_fields__
    listed: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in claims.items()
    }
    return UserToken(**{name: value for name, value in listed.items() if name in names})


def follow_feed(realm: Realm) -> FeedState:
    """What a resource server knows that reads the feed now."""
    window = feed_window(realm.lifetimes.access_token_lifetime)
    body = RevocationFeed(realm.database, ISSUER, window, realm.clock).read("", None).body
    assert body is not None
    state = FeedState(leeway=30)
    state.apply(read_page(json.loads(body)), int(realm.clock.seconds()))
    return state


def test_nothing_that_it_receives_names_user_or_session_as_others_see_them(
    api: Api, realm: Realm, pages: Pages, user_id: str
) -> None:
    """OpenID Connect Core §8: token answer, access token, ID token, userinfo, introspection, and after a refresh."""
    registered = register_with_secret(realm, kind=ClientKind.CONFIDENTIAL, pairwise=True)
    assert registered.secret is not None
    app = App(pages, api, registered.client.client_id, registered.secret.reveal())
    first = app.connect()
    tokens = content(app.refresh(first["refresh_token"]), 200)
    with realm.database.read() as tx:
        (sid,) = tx.execute(select(RefreshTokenFamily.__table__.c.sid)).scalars()
    seen: list[dict[str, Any]] = [first, tokens]
    seen += [claims_of(answer[token]) for answer in (first, tokens) for token in ("access_token", "id_token")]
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    seen.append(content(api.client.get("/oauth/userinfo", headers=headers), 200))
    for token in ("access_token", "refresh_token"):
        form = {"token": tokens[token], **own_credentials(app)}
        seen.append(content(api.client.post("/oauth/introspect", data=form), 200))
    text = json.dumps(seen)
    assert user_id not in text
    assert sid not in text
    assert len({one["sub"] for one in seen if "sub" in one}) == 1
    assert len({one["sid"] for one in seen if "sid" in one}) == 1


def test_two_clients_share_no_name(browser: Browser, realm: Realm, pairwise: Client) -> None:
    other = register_app(realm, "Other", pairwise=True)
    one, two = (read_user_token(browser.let(client).access_token) for client in (pairwise, other))
    assert not {one.sub, one.sid, one.fam} & {two.sub, two.sid, two.fam}


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.name)
def test_whatever_refuses_a_token_elsewhere_refuses_that_of_a_pairwise_client(
    browser: Browser, realm: Realm, pairwise: Client, user_id: str, event: type[CredentialEvent]
) -> None:
    """Design §6: at a resource server that follows the feed, and at introspection."""
    plain = register_app(realm, "Plain")
    held = [browser.let(client) for client in (plain, pairwise)]
    made = represent(
        event,
        user_id=user_id,
        email="ada@example.net",
        roles=("editor",),
        sid=browser.sid,
        link_issued_at=realm.clock.now(),
    )
    with realm.database.write() as tx:
        realm.revocation.apply(tx, made, by=BY, now=realm.clock.now())
    state = follow_feed(realm)
    plain_verdict, verdict = (state.check(read_user_token(one.access_token), "kid") for one in held)
    assert (plain_verdict is None) == (verdict is None)
    # Of a deleted user no session is named once more, and the stale version says the same.
    assert (plain_verdict and plain_verdict.soft_logout) == (verdict and verdict.soft_logout)


def test_a_lock_is_lifted_wherever_it_was_told(browser: Browser, realm: Realm, pairwise: Client, user_id: str) -> None:
    """Also when no family of the client is left that would tell of it."""
    token = read_user_token(browser.let(pairwise).access_token)
    apply_event(realm, user_id, UserLocked(user_id), by=BY)
    locked = follow_feed(realm).check(token, "kid")
    assert locked is not None
    assert locked.code == "user_locked"
    with realm.database.write() as tx:
        tx.execute(delete(RefreshTokenFamily))
    apply_event(realm, user_id, UserUnlocked(user_id), by=BY)
    unlocked = follow_feed(realm).check(token, "kid")
    assert unlocked is None or unlocked.code != "user_locked"


def test_a_resource_server_introspects_its_token(api: Api, browser: Browser, realm: Realm, pairwise: Client) -> None:
    """And learns no other name of the user than the token's own."""
    token = browser.let(pairwise).access_token
    form = {"token": token, **register_server(realm, AUDIENCE)}
    said = content(api.client.post("/oauth/introspect", data=form), 200)
    assert (said["sub"], said["sid"]) == (claims_of(token)["sub"], claims_of(token)["sid"])
    apply_event(realm, browser.user_id, SignedOutEverywhere(browser.user_id), by=BY)
    assert content(api.client.post("/oauth/introspect", data=form), 200) == {"active": False}


def test_it_gives_its_token_back(api: Api, browser: Browser, realm: Realm, pairwise: Client) -> None:
    """RFC 7009: this token alone ends, here and at resource servers."""
    server = register_server(realm, AUDIENCE)
    held = [browser.let(pairwise), browser.let(pairwise)]
    form = {"token": held[0].access_token, "client_id": pairwise.client_id}
    assert api.client.post("/oauth/revoke", data=form).status_code == 200
    assert [is_active(api, one.access_token, server) for one in held] == [False, True]
    state = follow_feed(realm)
    assert [state.check(read_user_token(one.access_token), "kid") is None for one in held] == [False, True]


def test_a_name_of_another_client_is_refused(api: Api, browser: Browser, realm: Realm, pairwise: Client) -> None:
    """The family of the token decides who is meant; its names must fit. Only the issuer could write such a token."""
    good = read_user_token(browser.let(pairwise).access_token)
    key = realm.keyring.current.signing_key
    wrongs: list[tuple[dict[str, Any], int]] = [
        ({}, 200),
        *(({name: "x"}, 401) for name in ("sub", "sid", "fam")),
    ]
    for wrong, status in wrongs:
        headers = {"Authorization": f"Bearer {issue_access_token(key, replace(good, **wrong))}"}
        assert api.client.get("/oauth/userinfo", headers=headers).status_code == status, wrong
