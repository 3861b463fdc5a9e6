"""Authorization codes, and what happens to their user meanwhile (design §5: code x code, code x change)."""

from functools import partial

import pytest

from authserver.account.change_password import PasswordWasChangedInBrowser
from authserver.authentication.browser_session import BrowserSignedIn, find_browser_session
from authserver.authentication.sign_out import sign_out
from authserver.authorization.outcomes import AlreadyAnswered, AuthorizationAnswer, Outcome
from authserver.protocol.oauth_error import OAuthError
from authserver.realm import Realm
from authserver.realm.outcomes import INVALID_CREDENTIALS, Refused
from authserver.revocation import Receipt
from authserver.tokens.token_answer import AccessAnswer, TokenAnswer
from tests.support.faults.racing import Duel, fight, race
from tests.support.people.authorizing import register_app
from tests.support.people.code_race import Visitor
from tests.support.people.logouts import URI, list_told
from tests.support.people.person import Person
from tests.support.people.refreshing import IP

pytestmark = pytest.mark.races
THREADS = 16


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


def test_a_code_gives_nothing_to_a_session_that_ends_or_its_client_is_told(crowded: Realm, rounds: int) -> None:
    """Exchange x sign out: either there is no family, or a logout token waits for the client that has got one."""
    client_id = register_app(crowded, backchannel_logout_uri=URI).client.client_id

    def prepare() -> Duel:
        visitor = Visitor(Person(crowded), client_id)
        browser = visitor.sign_in()
        code = visitor.code(browser)

        def check(redeemed: AccessAnswer | OAuthError, signed_out: Receipt) -> None:
            assert signed_out.sessions_ended == 1
            is_told = (client_id, browser.sid) in list_told(crowded)
            assert is_told is isinstance(redeemed, AccessAnswer)
            assert not visitor.refreshes(redeemed)

        return Duel((partial(visitor.redeem, code), partial(sign_out, crowded, browser, IP)), check)

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
