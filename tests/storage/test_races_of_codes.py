"""Authorization codes, and what happens to their user meanwhile (design §5: code x code, code x change)."""

from dataclasses import dataclass
from functools import partial
from urllib.parse import urlencode

import pytest

from authserver.accounts.authorization_outcomes import AlreadyAnswered, AuthorizationAnswer, Decision, Outcome
from authserver.accounts.authorize import authorize
from authserver.accounts.browser_session import BrowserSignedIn, SignedInBrowser, find_browser_session
from authserver.accounts.change_password import (
    PasswordWasChangedInBrowser,
    PasswordWish,
    change_password_in_browser,
)
from authserver.accounts.outcomes import INVALID_CREDENTIALS, Refused, TryLater
from authserver.accounts.sign_in_browser import BrowserSignIn, sign_in_browser
from authserver.accounts.sign_out import sign_out
from authserver.clients.authentication import PresentedClient
from authserver.grants import GRANTS, answer_token_request
from authserver.protocol.oauth_error import OAuthError
from authserver.protocol.secret import Secret
from authserver.realm import AccessAnswer, PendingRequest, Realm, TokenAnswer, begin_pending
from authserver.revocation import Receipt
from tests.support.authorizing import CALLBACK, CHALLENGE, VERIFIER, register_app
from tests.support.person import NEW_PASSWORD, ORIGIN, Person
from tests.support.racing import Duel, fight, race
from tests.support.realm import PASSWORD
from tests.support.refreshing import IP, refresh

pytestmark = pytest.mark.races
THREADS = 16


@dataclass
class Visitor:
    """A person at a browser, and a client that he sends his code to; below HTTP."""

    person: Person
    client_id: str

    def try_sign_in(self) -> BrowserSignedIn | Refused | TryLater:
        attempt = BrowserSignIn(self.person.email, Secret(PASSWORD), None, None, ORIGIN)
        return sign_in_browser(self.person.realm, attempt)

    def sign_in(self) -> SignedInBrowser:
        signed_in = self.try_sign_in()
        assert isinstance(signed_in, BrowserSignedIn), signed_in
        browser = find_browser_session(self.person.realm, signed_in.cookie)
        assert browser is not None
        return browser

    def ask(self, browser: SignedInBrowser) -> Outcome:
        """Allow the client to have all that it asks for."""
        return self.answer(self.begin(browser), browser)

    def answer(self, pending: PendingRequest, browser: SignedInBrowser) -> Outcome:
        """Press the button for one request."""
        return authorize(self.person.realm, pending, browser, ip=IP, decision=Decision.ALLOW)

    def begin(self, browser: SignedInBrowser) -> PendingRequest:
        """A request of the client, seen by who sits at the browser."""
        text = urlencode(
            {
                "response_type": "code",
                "client_id": self.client_id,
                "redirect_uri": CALLBACK,
                "scope": "read offline_access",
                "code_challenge": CHALLENGE,
                "code_challenge_method": "S256",
            }
        )
        return begin_pending(self.person.realm, text).choose(browser.sid)

    def code(self, browser: SignedInBrowser) -> str:
        answer = self.ask(browser)
        assert isinstance(answer, AuthorizationAnswer), answer
        return answer.parameters["code"]

    def redeem(self, code: str) -> AccessAnswer | OAuthError:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
        }
        return answer_token_request(GRANTS, self.person.realm, form, PresentedClient(self.client_id, None), IP)

    def refreshes(self, answer: AccessAnswer | OAuthError) -> bool:
        if not isinstance(answer, TokenAnswer):
            return False
        again = refresh(self.person.realm, answer.refresh_token, client_id=self.client_id)
        return isinstance(again, TokenAnswer)

    def change_password(self, browser: SignedInBrowser) -> PasswordWasChangedInBrowser:
        wish = PasswordWish(Secret(PASSWORD), Secret(NEW_PASSWORD), logout_devices=True)
        changed = change_password_in_browser(self.person.realm, browser, wish, ORIGIN)
        assert isinstance(changed, PasswordWasChangedInBrowser), changed
        return changed


@pytest.fixture
def client_id(crowded: Realm) -> str:
    """A client that the person allows things."""
    return register_app(crowded).client.client_id


def test_a_code_works_once(crowded: Realm, client_id: str, rounds: int) -> None:
    """F9, ASVS 10.4.2: one code, 16 threads, at most one success; and the second right use ends what it gave."""
    for _ in range(rounds // 5):
        visitor = Visitor(Person(crowded), client_id)
        code = visitor.code(visitor.sign_in())
        outcomes = race(*[partial(visitor.redeem, code)] * THREADS)
        assert sum(isinstance(outcome, TokenAnswer) for outcome in outcomes) == 1
        assert {outcome.error for outcome in outcomes if isinstance(outcome, OAuthError)} == {"invalid_grant"}
        assert not any(visitor.refreshes(outcome) for outcome in outcomes)


def test_one_request_has_one_code_however_often_it_is_answered(crowded: Realm, client_id: str, rounds: int) -> None:
    """Of all the codes that went out, one can be exchanged; and after that no other comes."""
    for _ in range(rounds // 5):
        visitor = Visitor(Person(crowded), client_id)
        browser = visitor.sign_in()
        pending = visitor.begin(browser)
        answers = race(*[partial(visitor.answer, pending, browser)] * THREADS)
        given = [answer.parameters["code"] for answer in answers if isinstance(answer, AuthorizationAnswer)]
        assert len(given) == THREADS
        assert sum(isinstance(visitor.redeem(code), TokenAnswer) for code in given) == 1
        assert isinstance(visitor.answer(pending, browser), AlreadyAnswered)


def test_a_code_gives_nothing_that_outlives_a_change_of_the_password(
    crowded: Realm, client_id: str, rounds: int
) -> None:
    """Whichever commits first: the code dies, or the family that it gave."""

    def prepare() -> Duel:
        visitor = Visitor(Person(crowded), client_id)
        browser = visitor.sign_in()
        code = visitor.code(browser)

        def check(redeemed: AccessAnswer | OAuthError, changed: PasswordWasChangedInBrowser) -> None:
            assert not visitor.refreshes(redeemed)
            assert isinstance(visitor.redeem(code), OAuthError)
            assert find_browser_session(crowded, changed.signed_in.cookie) is not None

        return Duel((partial(visitor.redeem, code), partial(visitor.change_password, browser)), check)

    fight(prepare, rounds // 5)


def test_no_code_is_made_for_a_session_that_has_ended(crowded: Realm, client_id: str, rounds: int) -> None:
    """Authorize x sign out: a code that was made meanwhile is worth nothing."""

    def prepare() -> Duel:
        visitor = Visitor(Person(crowded), client_id)
        browser = visitor.sign_in()

        def check(asked: Outcome, signed_out: Receipt) -> None:
            assert signed_out.sessions_ended == 1
            if isinstance(asked, AuthorizationAnswer):
                assert isinstance(visitor.redeem(asked.parameters["code"]), OAuthError)

        return Duel((partial(visitor.ask, browser), partial(sign_out, crowded, browser, IP)), check)

    fight(prepare, rounds // 5)


def test_a_sign_in_at_a_page_verified_before_a_change_leaves_no_session_after_it(
    crowded: Realm, client_id: str, rounds: int
) -> None:
    """The write skew of design §5, at a page."""

    def prepare() -> Duel:
        visitor = Visitor(Person(crowded), client_id)
        browser = visitor.sign_in()

        def check(signed_in: BrowserSignedIn | Refused, changed: PasswordWasChangedInBrowser) -> None:
            if isinstance(signed_in, BrowserSignedIn):
                assert find_browser_session(crowded, signed_in.cookie) is None
            else:
                assert signed_in.code == INVALID_CREDENTIALS
            assert visitor.person.live_sids() == {changed.signed_in.sid}

        return Duel((visitor.try_sign_in, partial(visitor.change_password, browser)), check)

    fight(prepare, rounds // 5)
