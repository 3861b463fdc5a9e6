"""A session that several clients share: what ends it ends all of them, and one of them may end alone.

docs/tokens-and-sessions.md says so under "Several clients in one session".
"""

import re
from pathlib import Path

import pytest

from authserver.authentication.sign_out import sign_out
from authserver.clients.register_client import ClientRegistration, RegisteredClient, register_client
from authserver.protocol.client_metadata import ClientKind
from authserver.protocol.oauth_error import OAuthError
from authserver.protocol.refresh_token import FAMILY_ID_BYTES, RefreshToken, format_refresh_token
from authserver.realm import Realm
from authserver.records.audit import Actor
from authserver.records.family import NewFamily
from authserver.storage import clients, families
from authserver.tokens.token_answer import TokenAnswer
from tests.support.people.person import Person
from tests.support.people.refreshing import IP, REST, refresh
from tests.support.world.clock import ManualClock
from tests.support.world.realm import SCOPE

DOCUMENT = Path(__file__).parents[2] / "docs" / "tokens-and-sessions.md"


class Shared:
    """A session of a person with the tokens of two clients."""

    def __init__(self, realm: Realm) -> None:
        """Sign a person in, and let a second client in."""
        self._realm = realm
        self.person = Person(realm)
        self.answer = self.person.sign_in()
        registered = register_client(
            realm, ClientRegistration("Other", ClientKind.PUBLIC, scope=SCOPE, redirect_uris=("https://app.example/",))
        )
        assert isinstance(registered, RegisteredClient)
        self.client_id = registered.client.client_id
        self.token = self._begin_family()

    def _begin_family(self) -> str:
        realm = self._realm
        fam = self.person.bearer(self.answer).claims.fam or ""
        with realm.database.write() as tx:
            family, version = families.find_by_fam(tx, fam), clients.find_family_version(tx, self.client_id)
            assert family is not None
            granted = family.granted
            assert version is not None
            mac_key = realm.keyring.current.mac_key
            own = {name: getattr(granted, name) for name in granted.__slots__} | {
                "fam": "other",
                "client_id": self.client_id,
            }
            new = NewFamily(
                family_id=realm.entropy(FAMILY_ID_BYTES),
                granted=type(granted)(**own),
                client_family_version=version,
                mac_kid=mac_key.kid,
                idle_expires_at=family.idle_expires_at,
                expires_at=family.expires_at,
            )
            families.add(tx, new, realm.clock.now())
        return format_refresh_token(RefreshToken(mac_key.kid, new.family_id, 1), mac_key.secret)

    def refresh_other(self, token: str) -> TokenAnswer | OAuthError:
        """Present a refresh token of the second client."""
        return refresh(self._realm, token, client_id=self.client_id)

    def assert_both_dead(self) -> None:
        """No client of the session goes on."""
        assert isinstance(self.person.refresh(self.answer), OAuthError)
        assert isinstance(self.refresh_other(self.token), OAuthError)


@pytest.fixture
def shared(realm: Realm) -> Shared:
    return Shared(realm)


def test_signing_out_of_one_client_ends_the_session_of_both(realm: Realm, shared: Shared) -> None:
    """ASVS 7.1.3: as it is written."""
    assert "when a session ends, all its families end" in re.sub(r"\s+", " ", DOCUMENT.read_text(encoding="utf-8"))
    sign_out(realm, shared.person.bearer(shared.answer), IP)
    shared.assert_both_dead()


def test_reuse_at_one_client_ends_the_session_of_both(shared: Shared, clock: ManualClock) -> None:
    """ASVS 7.1.3, 10.4.5."""
    second = shared.refresh_other(shared.token)
    assert isinstance(second, TokenAnswer)
    clock.advance(REST)
    third = shared.refresh_other(second.refresh_token)
    assert isinstance(third, TokenAnswer)
    assert isinstance(shared.refresh_other(shared.token), OAuthError)
    shared.token = third.refresh_token
    shared.assert_both_dead()


def test_a_client_that_ends_alone_leaves_the_other(realm: Realm, shared: Shared) -> None:
    """ASVS 7.1.3."""
    with realm.database.write() as tx:
        family = families.find_by_fam(tx, "other")
        assert family is not None
        by, now = shared.person.bearer(shared.answer).user_id, realm.clock.now()
        realm.revocation.end_family(tx, family, reason="token_revoked", soft_logout=False, by=Actor(by, IP), now=now)
    assert isinstance(shared.refresh_other(shared.token), OAuthError)
    shared.person.assert_alive(shared.answer)
