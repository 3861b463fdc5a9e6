"""Refresh tokens of public clients are bound to a key (RFC 9449 §5), in the one statement and in every cold answer."""

import inspect
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from authserver.clients.client_registration import ClientRegistration
from authserver.clients.presented_client import PresentedClient
from authserver.clients.register_client import FIRST_PARTY_CLIENT_ID, RegisteredClient, register_client, update_client
from authserver.grants import GRANTS, GrantHandler, answer_token_request
from authserver.protocol.client_metadata import AuthMethod, ClientKind
from authserver.protocol.dpop_request import WITHOUT_PROOF, DpopRequest
from authserver.protocol.oauth_error import OAuthError
from authserver.realm import Realm
from authserver.records.family import Family
from authserver.storage import families
from authserver.storage.schema import AuditEvent, UsedProof
from authserver.tokens.token_answer import RestingAnswer, TokenAnswer
from tests.support.people.authorizing import claims_of
from tests.support.people.refreshing import IP, REST, open_device, refresh
from tests.support.world.clock import ManualClock
from tests.support.world.proofs import ProofKey
from tests.support.world.realm import ISSUER, add_user

URL = f"{ISSUER}/oauth/token"
Recording = Callable[[], AbstractContextManager[list[str]]]


@dataclass
class Phone:
    """A public client that signs in and refreshes with a key."""

    realm: Realm
    clock: ManualClock
    key: ProofKey = field(default_factory=ProofKey)

    def request(self, key: ProofKey | None = None) -> DpopRequest:
        return DpopRequest("POST", URL, (key or self.key).prove("POST", URL, self.clock.seconds()))

    def sign_in(self, *, bound: bool = True) -> TokenAnswer:
        return open_device(self.realm, dpop=self.request() if bound else WITHOUT_PROOF)

    def refresh(self, token: str, key: ProofKey | None = None) -> TokenAnswer | OAuthError:
        return refresh(self.realm, token, http=self.request(key))

    def refreshed(self, token: str) -> TokenAnswer:
        answer = self.refresh(token)
        assert isinstance(answer, TokenAnswer), answer
        return answer

    def rotated(self, token: str) -> TokenAnswer:
        self.clock.advance(REST)
        answer = self.refreshed(token)
        assert answer.refresh_token != token
        return answer

    def family(self, answer: TokenAnswer) -> Family:
        with self.realm.database.read() as tx:
            family = families.find_by_fam(tx, claims_of(answer.access_token)["fam"])
        assert family is not None
        return family


@pytest.fixture
def phone(realm: Realm, clock: ManualClock) -> Phone:
    add_user(realm)
    return Phone(realm, clock)


@pytest.fixture(params=["without a proof", "with another key"])
def thief(request: pytest.FixtureRequest, phone: Phone) -> Callable[[str], TokenAnswer | OAuthError]:
    """Presents a refresh token without the key."""
    other = ProofKey()
    if request.param == "without a proof":
        return lambda token: refresh(phone.realm, token)
    return lambda token: phone.refresh(token, other)


def assert_refused(answer: TokenAnswer | OAuthError, *, soft_logout: bool = True) -> None:
    assert isinstance(answer, OAuthError), answer
    assert (answer.error, answer.soft_logout) == ("invalid_grant", soft_logout)


def count_rows(realm: Realm, table: type[AuditEvent | UsedProof]) -> int:
    with realm.database.read() as tx:
        return tx.execute(select(func.count()).select_from(table)).scalar_one()


def test_tokens_are_bound_at_birth(phone: Phone) -> None:
    """RFC 9449 §5, §6.1."""
    for answer in (phone.sign_in(), phone.refreshed(phone.sign_in().refresh_token)):
        assert answer.token_type == "DPoP"
        assert claims_of(answer.access_token)["cnf"] == {"jkt": phone.key.jkt}
        assert phone.family(answer).jkt == phone.key.jkt


def test_without_a_proof_nothing_is_bound(phone: Phone) -> None:
    answer = phone.sign_in(bound=False)
    assert (answer.token_type, phone.family(answer).bond) == ("Bearer", None)
    assert "cnf" not in claims_of(answer.access_token)
    again = refresh(phone.realm, answer.refresh_token)
    assert isinstance(again, TokenAnswer)
    assert again.token_type == "Bearer"


@pytest.mark.parametrize("state", ["at rest", "rotatable", "a retry", "a late retry", "lapsed", "used long ago"])
def test_a_wrong_key_changes_nothing_in_any_state(
    phone: Phone, thief: Callable[[str], TokenAnswer | OAuthError], state: str
) -> None:
    """RFC 9449 §5, RFC 9700 §2.2.1, ASVS 10.4.14: neither a generation nor the family; then the key works as ever."""
    clock = phone.clock
    first = phone.sign_in()
    second = phone.refreshed(first.refresh_token)
    ages = {"at rest": timedelta(0), "a retry": timedelta(seconds=30), "rotatable": REST, "a late retry": REST}
    clock.advance(ages.get(state, timedelta(days=2)))
    shown = second if state in {"at rest", "rotatable"} else first
    if state == "used long ago":
        second = phone.refreshed(second.refresh_token)
    before, audited = phone.family(second), count_rows(phone.realm, AuditEvent)
    for _ in range(3):
        assert_refused(thief(shown.refresh_token))
    assert phone.family(second) == before
    assert count_rows(phone.realm, AuditEvent) == audited
    assert isinstance(phone.refresh(second.refresh_token), TokenAnswer)


def test_cold_answers_are_bound_too(phone: Phone) -> None:
    first = phone.sign_in()
    second = phone.refreshed(first.refresh_token)
    resting, retry = phone.refreshed(second.refresh_token), phone.refreshed(first.refresh_token)
    assert isinstance(resting, RestingAnswer)
    phone.clock.advance(REST)
    late = phone.refreshed(first.refresh_token)
    for answer in (resting, retry, late):
        assert answer.refresh_token == second.refresh_token
        assert claims_of(answer.access_token)["cnf"] == {"jkt": phone.key.jkt}


def test_the_first_refresh_that_shows_a_proof_binds(
    phone: Phone, thief: Callable[[str], TokenAnswer | OAuthError]
) -> None:
    """RFC 9449 §5."""
    bound = phone.refreshed(phone.sign_in(bound=False).refresh_token)
    assert phone.family(bound).jkt == phone.key.jkt
    assert_refused(thief(bound.refresh_token))
    further = phone.rotated(bound.refresh_token)
    assert phone.family(further).bond == phone.family(bound).bond
    assert_refused(thief(further.refresh_token))


@pytest.mark.parametrize("state", ["at rest", "a retry", "a late retry"])
def test_a_cold_answer_binds_too(phone: Phone, thief: Callable[[str], TokenAnswer | OAuthError], state: str) -> None:
    """RFC 9449 §5: whatever hands out a refresh token after a proof binds it."""
    first = phone.sign_in(bound=False)
    second = refresh(phone.realm, first.refresh_token)
    assert isinstance(second, TokenAnswer)
    phone.clock.advance(REST if state == "a late retry" else timedelta(0))
    bound = phone.refreshed((second if state == "at rest" else first).refresh_token)
    assert bound.refresh_token == second.refresh_token
    assert phone.family(bound).jkt == phone.key.jkt
    assert_refused(thief(bound.refresh_token))
    further = phone.rotated(bound.refresh_token)
    assert_refused(thief(further.refresh_token))
    assert isinstance(phone.refresh(further.refresh_token), TokenAnswer)


def test_a_tab_that_has_not_heard_of_the_key_ends_nothing(
    phone: Phone, thief: Callable[[str], TokenAnswer | OAuthError]
) -> None:
    before = phone.sign_in(bound=False)
    bound = phone.refreshed(before.refresh_token)
    assert_refused(thief(before.refresh_token))
    assert isinstance(phone.refresh(bound.refresh_token), TokenAnswer)
    assert isinstance(phone.refresh(before.refresh_token), TokenAnswer), "with the key it is a retry"


@pytest.mark.parametrize("thief_rotates", [True, False])
def test_who_binds_a_stolen_token_does_not_keep_it_in_secret(
    phone: Phone, thief: Callable[[str], TokenAnswer | OAuthError], *, thief_rotates: bool
) -> None:
    """A thief of an unbound token binds it to their own key; the owner's next refresh ends the family."""
    owners = phone.sign_in(bound=False)
    if not thief_rotates:
        rotated = refresh(phone.realm, owners.refresh_token)
        assert isinstance(rotated, TokenAnswer)
        owners = rotated
    stolen = phone.refreshed(owners.refresh_token)  # `phone` is the thief here
    phone.clock.advance(timedelta(minutes=5))
    assert_refused(thief(owners.refresh_token))
    ended = phone.family(stolen).ended
    assert ended is not None
    assert (ended.by, ended.soft_logout) == ("retry_lapsed", True)
    assert_refused(phone.refresh(stolen.refresh_token))


def test_the_client_must_bring_a_proof_if_it_says_so(phone: Phone) -> None:
    """RFC 9449 §5.2."""
    unbound = phone.sign_in(bound=False)
    update_client(phone.realm, FIRST_PARTY_CLIENT_ID, {"dpop_bound_access_tokens": True})
    phone.clock.advance(timedelta(seconds=6))
    refused = refresh(phone.realm, unbound.refresh_token)
    assert isinstance(refused, OAuthError)
    assert refused.error == "invalid_dpop_proof"
    assert phone.refreshed(unbound.refresh_token).token_type == "DPoP"


def test_a_proof_works_once(phone: Phone) -> None:
    """RFC 9449 §11.1: also beside another token, and with another time under the same `jti`."""
    one, other = phone.sign_in(), phone.sign_in()
    request = phone.request()
    assert isinstance(refresh(phone.realm, one.refresh_token, http=request), TokenAnswer)
    same_jti = DpopRequest("POST", URL, phone.key.prove("POST", URL, phone.clock.seconds() - 1, jti="x"))
    assert isinstance(refresh(phone.realm, one.refresh_token, http=same_jti), TokenAnswer)
    again = DpopRequest("POST", URL, phone.key.prove("POST", URL, phone.clock.seconds(), jti="x"))
    for http in (request, same_jti, again):
        for token in (one.refresh_token, other.refresh_token):
            refused = refresh(phone.realm, token, http=http)
            assert isinstance(refused, OAuthError)
            assert refused.error == "invalid_dpop_proof"
    theirs = ProofKey()
    foreign = DpopRequest("POST", URL, theirs.prove("POST", URL, phone.clock.seconds(), jti="x"))
    assert_refused(refresh(phone.realm, one.refresh_token, http=foreign))


def test_a_refresh_with_a_proof_is_two_statements(phone: Phone, recording: Recording) -> None:
    """The proof is used up, then the family rotates; without a proof, the one statement stays one."""
    token = phone.rotated(phone.sign_in().refresh_token).refresh_token
    phone.clock.advance(REST)
    phone.realm.clients.find(FIRST_PARTY_CLIENT_ID)
    with recording() as statements:
        phone.refreshed(token)
    assert [statement.split()[0] for statement in statements] == ["INSERT", "UPDATE"]


def test_a_made_up_token_leaves_no_row(phone: Phone) -> None:
    """Anybody can sign proofs with keys of their own: what they send must not fill the table."""
    made_up = phone.sign_in().refresh_token[:-3] + "AAA"
    before = count_rows(phone.realm, UsedProof)
    for grant in GRANTS:
        form = {"grant_type": grant.grant_type, "refresh_token": made_up, "code": "x"}
        form |= {"redirect_uri": "https://app.example/callback", "code_verifier": "x" * 43, "device_code": "x"}
        client = PresentedClient(FIRST_PARTY_CLIENT_ID, None)
        answer = answer_token_request(GRANTS, phone.realm, form, client, IP, phone.request())
        assert isinstance(answer, OAuthError), grant.grant_type
    assert count_rows(phone.realm, UsedProof) == before


@pytest.mark.parametrize("grant", GRANTS, ids=lambda grant: grant.grant_type)
def test_no_grant_forgets_to_use_the_proof_up(grant: GrantHandler[object]) -> None:
    """RFC 9449 §11.1: the phases read a proof, but only the grant knows when the request is no invention."""
    assert "request.use_proof(realm)" in inspect.getsource(sys.modules[type(grant).__module__])


def test_a_confidential_client_may_change_its_key(realm: Realm, clock: ManualClock) -> None:
    """RFC 9449 §5: its refresh tokens are bound to its authentication, its access tokens to the key of the moment."""
    wish = ClientRegistration("Server", ClientKind.CONFIDENTIAL, "server", first_party=True, scope=("read",))
    registered = register_client(realm, wish)
    assert isinstance(registered, RegisteredClient)
    add_user(realm)
    phone = Phone(realm, clock)
    token = open_device(realm, client_id="server", dpop=phone.request())
    assert claims_of(token.access_token)["cnf"] == {"jkt": phone.key.jkt}
    assert phone.family(token).bond is None
    presented = PresentedClient("server", registered.secret, AuthMethod.CLIENT_SECRET_POST)
    for key in (ProofKey(), None, ProofKey()):
        http = WITHOUT_PROOF if key is None else phone.request(key)
        form = {"grant_type": "refresh_token", "refresh_token": token.refresh_token}
        answer = answer_token_request(GRANTS, realm, form, presented, IP, http)
        assert isinstance(answer, TokenAnswer), answer
        assert claims_of(answer.access_token).get("cnf") == (None if key is None else {"jkt": key.jkt})
        assert phone.family(answer).bond is None
        token = answer
        clock.advance(REST)
