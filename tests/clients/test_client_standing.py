"""Tokens of a client that was disabled stay dead after it is enabled, and are removed with it; on both databases."""

import json
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
import sqlalchemy
from sqlalchemy import func, select

from authserver.authentication.bearer import Bearer, authenticate_bearer
from authserver.authentication.open_session import DeviceClaim, RequestSource
from authserver.authentication.sign_in import SignIn, sign_in
from authserver.clients import client_standing
from authserver.clients.client_standing import delete_client, disable_client, enable_client
from authserver.clients.register_client import (
    FIRST_PARTY_CLIENT_ID,
    ClientRegistration,
    RegisteredClient,
    register_client,
    update_client,
)
from authserver.jose.access_token import check_access_token
from authserver.protocol.claims import UserToken
from authserver.protocol.client_metadata import ClientKind
from authserver.protocol.revocation_feed import ClientEntry, Entry, FamilyEntry, FeedPage, read_page
from authserver.protocol.secret import Secret
from authserver.realm import Realm
from authserver.realm.client_registry import MAX_AGE
from authserver.realm.outcomes import Refused
from authserver.records.audit import Actor
from authserver.records.authorization_code import AuthorizationCode as Code
from authserver.records.consent import Consent as ConsentRecord
from authserver.records.presence import BearerRefused
from authserver.revocation import client_changes
from authserver.revocation.feed import RevocationFeed
from authserver.storage import codes, consents
from authserver.storage.schema import AuthorizationCode, Client, Consent, RefreshTokenFamily, Session
from authserver.tokens.token_answer import TokenAnswer
from authserver.verifier.feed_state import FeedState
from tests.support.people.refreshing import IP, open_device, refresh, refreshed
from tests.support.world.clock import ManualClock
from tests.support.world.realm import EMAIL, ISSUER, PASSWORD, add_user

BY = Actor("cli")
WINDOW = timedelta(seconds=390)
SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def user_id(realm: Realm) -> str:
    """The user of every test in this file."""
    return add_user(realm)


@pytest.fixture
def ours(realm: Realm) -> str:
    """A second first-party client, besides the built-in one."""
    registered = register_client(
        realm, ClientRegistration("Ours", ClientKind.PUBLIC, first_party=True, scope=("openid",))
    )
    assert isinstance(registered, RegisteredClient)
    return registered.client.client_id


def _open(realm: Realm, client_id: str) -> TokenAnswer:
    attempt = SignIn(EMAIL, Secret(PASSWORD), client_id, None, DeviceClaim(None, None), RequestSource(IP, "test"))
    answer = sign_in(realm, attempt)
    assert isinstance(answer, TokenAnswer)
    return answer


def _read(realm: Realm, cursor: str = "") -> FeedPage:
    served = RevocationFeed(realm.database, ISSUER, WINDOW, realm.clock).read(cursor, None)
    assert served.body is not None
    return read_page(json.loads(served.body))


def _told(realm: Realm, kind: type[Entry]) -> list[Entry]:
    return [entry for entry in _read(realm).entries if isinstance(entry, kind)]


def _claims(realm: Realm, token: str) -> UserToken:
    claims = check_access_token(
        token,
        find_key=realm.keyring.current.find_verification_key,
        issuer=ISSUER,
        audience=ISSUER,
        now=realm.clock.seconds(),
        leeway=30,
        longest_lifetime=300,
    )
    assert isinstance(claims, UserToken)
    return claims


class ResourceServer:
    """A resource server that follows the feed. `judge` returns the code of a refused access token, or None."""

    def __init__(self, realm: Realm) -> None:
        self._realm, self._state, self._cursor = realm, FeedState(leeway=30), ""

    def judge(self, token: str) -> str | None:
        page = _read(self._realm, self._cursor)
        self._state.apply(page, int(self._realm.clock.seconds()))
        self._cursor = page.cursor
        revoked = self._state.check(_claims(self._realm, token), "any-key")
        return None if revoked is None else revoked.code


def test_tokens_from_before_a_disable_stay_refused_everywhere_after_the_enable(
    realm: Realm, clock: ManualClock
) -> None:
    """Design §4: a resource server refuses them although it forgets that the client was disabled."""
    follower = ResourceServer(realm)
    opened = open_device(realm)
    rotated = refreshed(realm, open_device(realm).refresh_token)
    early = open_device(realm)
    refreshed(realm, early.refresh_token)
    clock.advance(timedelta(seconds=59))
    retried = refreshed(realm, early.refresh_token)  # a new access token that leaves no trace in the family
    old = [answer.access_token for answer in (opened, rotated, retried)]
    assert [follower.judge(token) for token in old] == [None] * 3
    disable_client(realm, FIRST_PARTY_CLIENT_ID, BY)
    assert [follower.judge(token) for token in old] == ["client_disabled"] * 3
    clock.advance(timedelta(seconds=6))
    assert enable_client(realm, FIRST_PARTY_CLIENT_ID) is None
    assert [follower.judge(token) for token in old] == ["session_revoked"] * 3
    newcomer = ResourceServer(realm)
    assert [newcomer.judge(token) for token in old] == ["session_revoked"] * 3
    clock.advance(timedelta(seconds=6))
    fresh = open_device(realm).access_token
    assert follower.judge(fresh) is newcomer.judge(fresh) is None
    assert isinstance(authenticate_bearer(realm, fresh), Bearer)
    assert isinstance(authenticate_bearer(realm, opened.access_token), BearerRefused)


def test_the_family_of_a_late_retry_is_published(realm: Realm, clock: ManualClock) -> None:
    """A late retry gives an access token hours after the last rotation of the family."""
    token = open_device(realm).refresh_token
    refreshed(realm, token)
    clock.advance(timedelta(hours=2))
    late = refreshed(realm, token)
    disable_client(realm, FIRST_PARTY_CLIENT_ID, BY)
    enable_client(realm, FIRST_PARTY_CLIENT_ID)
    assert ResourceServer(realm).judge(late.access_token) == "session_revoked"


def test_a_resting_family_is_published_even_after_its_window_was_changed(realm: Realm, clock: ManualClock) -> None:
    """It rests for the window at its rotation; access tokens that it gives meanwhile leave no trace in the family."""
    update_client(realm, FIRST_PARTY_CLIENT_ID, {"retry_window": timedelta(hours=1)})
    clock.advance(6 * SECOND)
    current = refreshed(realm, open_device(realm).refresh_token).refresh_token
    clock.advance(timedelta(minutes=59))
    resting = refreshed(realm, current)
    assert resting.refresh_token == current
    update_client(realm, FIRST_PARTY_CLIENT_ID, {"retry_window": timedelta(0)})
    disable_client(realm, FIRST_PARTY_CLIENT_ID, BY)
    enable_client(realm, FIRST_PARTY_CLIENT_ID)
    assert ResourceServer(realm).judge(resting.access_token) == "session_revoked"


def test_the_family_of_a_retry_is_published_for_any_retry_window(realm: Realm, clock: ManualClock) -> None:
    """A retry gives a new access token and leaves no trace in the family."""
    update_client(realm, FIRST_PARTY_CLIENT_ID, {"retry_window": timedelta(hours=1)})
    clock.advance(6 * SECOND)
    token = open_device(realm).refresh_token
    refreshed(realm, token)
    clock.advance(timedelta(minutes=50))
    retried = refreshed(realm, token)
    disable_client(realm, FIRST_PARTY_CLIENT_ID, BY)
    enable_client(realm, FIRST_PARTY_CLIENT_ID)
    assert ResourceServer(realm).judge(retried.access_token) == "session_revoked"


def test_a_family_without_unexpired_tokens_is_not_published(realm: Realm, clock: ManualClock) -> None:
    """The size of the feed depends on unexpired tokens, not on the number of a client's families."""
    open_device(realm)
    clock.advance(WINDOW + timedelta(seconds=61))
    disable_client(realm, FIRST_PARTY_CLIENT_ID, BY)
    enable_client(realm, FIRST_PARTY_CLIENT_ID)
    assert _told(realm, FamilyEntry) == []


def test_enabling_a_client_after_the_window_publishes_no_families(realm: Realm, clock: ManualClock) -> None:
    for _ in range(3):
        open_device(realm)
    disable_client(realm, FIRST_PARTY_CLIENT_ID, BY)
    clock.advance(WINDOW)
    enable_client(realm, FIRST_PARTY_CLIENT_ID)
    assert _told(realm, FamilyEntry) == []
    (told,) = _told(realm, ClientEntry)
    assert isinstance(told, ClientEntry)
    assert not told.disabled


def test_only_families_of_the_disabled_client_are_published(realm: Realm, ours: str) -> None:
    lost = open_device(realm)
    theirs = _open(realm, ours)
    disable_client(realm, FIRST_PARTY_CLIENT_ID, BY)
    enable_client(realm, FIRST_PARTY_CLIENT_ID)
    (told,) = _told(realm, FamilyEntry)
    assert isinstance(told, FamilyEntry)
    assert told.fam == _claims(realm, lost.access_token).fam
    assert ResourceServer(realm).judge(theirs.access_token) is None
    disable_client(realm, ours, BY)
    disable_client(realm, FIRST_PARTY_CLIENT_ID, BY)
    enable_client(realm, FIRST_PARTY_CLIENT_ID)
    assert _told(realm, FamilyEntry) == [told], "that of the other client is dead with its client"


def test_enabling_an_enabled_client_changes_and_publishes_nothing(realm: Realm) -> None:
    token = open_device(realm).refresh_token
    assert enable_client(realm, FIRST_PARTY_CLIENT_ID) is None
    assert _read(realm).entries == ()
    refreshed(realm, token)


def test_a_client_with_too_many_families_cannot_be_enabled_before_its_tokens_expire(
    realm: Realm, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page too large for readers would stop them all, and then they would refuse every token."""
    monkeypatch.setattr(client_changes, "MOST_TOLD", 1)
    opened = [open_device(realm).access_token for _ in range(2)]
    disable_client(realm, FIRST_PARTY_CLIENT_ID, BY)
    before = _read(realm)
    refusal = enable_client(realm, FIRST_PARTY_CLIENT_ID)
    assert isinstance(refusal, Refused)
    assert refusal.code == "too_soon"
    assert f"{clock.now() + WINDOW:%H:%M:%S}Z" in refusal.message
    assert _read(realm) == before
    assert [ResourceServer(realm).judge(token) for token in opened] == ["client_disabled"] * 2
    clock.advance(WINDOW)
    assert enable_client(realm, FIRST_PARTY_CLIENT_ID) is None


# --- deleting --------------------------------------------------------------------------------------------------------


def _count(realm: Realm, table: type[Client | Session | RefreshTokenFamily | AuthorizationCode | Consent]) -> int:
    with realm.database.read() as tx:
        return tx.execute(select(func.count()).select_from(table)).scalar_one()


def _allow_and_code(realm: Realm, user_id: str, client_id: str, sid: str) -> None:
    now = realm.clock.now()
    code = Code(
        b"digest", "request", user_id, sid, client_id, 1, "https://a.example/", "x", "openid", ("https://a.example",),
        None, now, ("pwd",), "acr", now, now + SECOND,
    )  # fmt: skip
    with realm.database.write() as tx:
        codes.add(tx, code)
        consents.remember(tx, ConsentRecord(user_id, client_id, frozenset({"openid"}), frozenset(), now))


def test_deleting_a_client_ends_and_removes_all_that_it_held(realm: Realm, user_id: str, ours: str) -> None:
    """Families, codes and consents are removed; the user stays signed in to other clients."""
    follower = ResourceServer(realm)
    kept, lost = open_device(realm), [_open(realm, ours) for _ in range(2)]
    _allow_and_code(realm, user_id, ours, lost[0].sid)
    assert [follower.judge(one.access_token) for one in lost] == [None] * 2
    assert delete_client(realm, ours, by=BY) is None
    assert [follower.judge(one.access_token) for one in lost] == ["client_disabled"] * 2
    assert all(isinstance(authenticate_bearer(realm, one.access_token), BearerRefused) for one in lost)
    for one in lost:
        assert not isinstance(refresh(realm, one.refresh_token, client_id=ours), TokenAnswer)
    counts = [_count(realm, table) for table in (Client, RefreshTokenFamily, AuthorizationCode, Consent, Session)]
    assert counts == [1, 1, 0, 0, 3]
    with realm.database.read() as tx:
        assert set(tx.execute(select(Session.client_id)).scalars()) == {FIRST_PARTY_CLIENT_ID, None}
    assert follower.judge(kept.access_token) is None
    refreshed(realm, kept.refresh_token)


def test_a_disabled_client_can_be_deleted(realm: Realm, ours: str) -> None:
    lost = _open(realm, ours)
    disable_client(realm, ours, BY)
    assert delete_client(realm, ours, by=BY) is None
    assert ResourceServer(realm).judge(lost.access_token) == "client_disabled"
    assert _count(realm, Client) == 1


def test_many_families_are_removed_in_small_transactions(
    realm: Realm,
    ours: str,
    monkeypatch: pytest.MonkeyPatch,
    recording: Callable[[], AbstractContextManager[list[str]]],
) -> None:
    """What the client knows of sessions, too: more of it may be left than families."""
    monkeypatch.setattr(client_changes, "_REMOVED_AT_ONCE", 1)
    for _ in range(3):
        _open(realm, ours)
    with recording() as sent:
        assert delete_client(realm, ours, by=BY) is None
    assert _count(realm, RefreshTokenFamily) == 0
    removed_from = Counter(statement.split()[2] for statement in sent if statement.startswith("DELETE"))
    assert min(removed_from[table] for table in ("refresh_token_families", "client_sessions")) > 3


def test_an_interrupted_deletion_leaves_a_disabled_client_and_can_be_repeated(
    realm: Realm, ours: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = _open(realm, ours)

    def break_off(*_: object) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(client_standing, "_remove_some_families", break_off)
        with pytest.raises(KeyboardInterrupt):
            delete_client(realm, ours, by=BY)
    assert ResourceServer(realm).judge(lost.access_token) == "client_disabled"
    assert not isinstance(refresh(realm, lost.refresh_token, client_id=ours), TokenAnswer)
    assert delete_client(realm, ours, by=BY) is None
    assert _count(realm, Client) == 1


def test_a_client_enabled_during_its_deletion_stays(realm: Realm, ours: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """If another operator enables the client meanwhile, nothing that began afterwards is lost."""

    def meddle(realm: Realm, client_id: str) -> bool:
        enable_client(realm, client_id)
        return False

    monkeypatch.setattr(client_standing, "_remove_some_families", meddle)
    refusal = delete_client(realm, ours, by=BY)
    assert isinstance(refusal, Refused)
    assert refusal.code == "enabled_meanwhile"
    assert _count(realm, Client) == 2


def test_a_record_in_memory_ages_while_the_machine_sleeps(realm: Realm, ours: str, clock: ManualClock) -> None:
    """Another node may have changed the client meanwhile, although the monotonic clock stood still."""
    assert realm.clients.find(ours) is not None
    assert realm.clients.find_origins().all == frozenset()
    with realm.database.write() as tx:
        tx.execute(sqlalchemy.update(Client).where(Client.client_id == ours).values(origins="https://spa.example"))
    clock.suspend(timedelta(seconds=MAX_AGE))
    found = realm.clients.find(ours)
    assert found is not None
    assert found.origins == ("https://spa.example",)
    assert realm.clients.find_origins().all == {"https://spa.example"}
