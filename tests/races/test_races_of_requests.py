"""Requests that wait: pushed ones, which open once, and those of devices, which are exchanged once."""

from functools import partial
from urllib.parse import urlencode

import pytest

from authserver.account.change_password import PasswordWasChangedInBrowser
from authserver.authorization.outcomes import Spent
from authserver.authorization.pushed_request import Opened, Pushed, open_pushed, push_request
from authserver.protocol.oauth_error import OAuthError
from authserver.realm import Realm
from authserver.tokens.token_answer import TokenAnswer
from tests.support.faults.racing import Duel, fight, race
from tests.support.people.authorizing import CALLBACK, CHALLENGE, register_app
from tests.support.people.code_race import Visitor
from tests.support.people.device_race import Screen
from tests.support.people.person import Person
from tests.support.people.television import register_television

pytestmark = pytest.mark.races
THREADS = 16


def test_a_pushed_request_opens_once(crowded: Realm, rounds: int) -> None:
    """RFC 9126 §7.3: 16 browsers with one `request_uri`, one of them gets in."""
    client = register_app(crowded).client
    asked = {"response_type": "code", "redirect_uri": CALLBACK, "scope": "read"}
    asked |= {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}
    for _ in range(rounds // 5):
        pushed = push_request(crowded, client, asked)
        assert isinstance(pushed, Pushed)
        link = urlencode({"client_id": client.client_id, "request_uri": pushed.request_uri})
        outcomes = race(*[partial(open_pushed, crowded, link)] * THREADS)
        assert sum(isinstance(outcome, Opened) and outcome.is_new for outcome in outcomes) == 1
        others = {outcome.request_id for outcome in outcomes if isinstance(outcome, Opened)}
        assert len(others) == 1  # who came later learns whose it is
        assert all(isinstance(outcome, Opened | Spent) for outcome in outcomes)


def test_an_allowed_device_gets_one_session(crowded: Realm, rounds: int) -> None:
    """16 polls at once; and none of them ends what one of them got."""
    client_id = register_television(crowded)
    for _ in range(rounds // 5):
        person = Person(crowded)
        screen = Screen.show(crowded, client_id)
        screen.allow(Visitor(person, client_id))
        before = person.live_sids()
        outcomes = race(*[screen.poll] * THREADS)
        (tokens,) = (outcome for outcome in outcomes if isinstance(outcome, TokenAnswer))
        assert {outcome.error for outcome in outcomes if isinstance(outcome, OAuthError)} == {"invalid_grant"}
        assert person.live_sids() - before == {tokens.sid}
        assert screen.refreshes(tokens)


def test_one_code_is_claimed_by_one_person(crowded: Realm, rounds: int) -> None:
    """Two people type it at once."""
    client_id = register_television(crowded)

    def prepare() -> Duel:
        screen = Screen.show(crowded, client_id)
        visitors = [Visitor(Person(crowded), client_id) for _ in range(2)]
        first, second = (screen.prepare_claim(visitor) for visitor in visitors)

        def check(one: bool, other: bool) -> None:  # noqa: FBT001 - the outcomes
            assert (one, other) in {(True, False), (False, True)}

        return Duel((first, second), check)

    fight(prepare, rounds // 5)


def test_an_approval_leaves_nothing_that_outlives_a_change_of_the_password(crowded: Realm, rounds: int) -> None:
    """Device approval x password change, whichever commits first (design §5)."""
    client_id = register_television(crowded)

    def prepare() -> Duel:
        visitor = Visitor(Person(crowded), client_id)
        screen = Screen.show(crowded, client_id)
        browser = visitor.sign_in()
        approve = screen.prepare_approval(browser)

        def check(approved: object, changed: PasswordWasChangedInBrowser) -> None:
            assert not isinstance(screen.poll(), TokenAnswer), approved
            assert visitor.person.live_sids() == {changed.signed_in.sid}

        return Duel((approve, partial(visitor.change_password, browser)), check)

    fight(prepare, rounds // 5)


def test_a_device_that_fetches_its_tokens_during_a_change_of_the_password_keeps_none(
    crowded: Realm, rounds: int
) -> None:
    """Poll x password change: the code is dead, or the session that it gave."""
    client_id = register_television(crowded)

    def prepare() -> Duel:
        visitor = Visitor(Person(crowded), client_id)
        screen = Screen.show(crowded, client_id)
        browser = screen.allow(visitor)

        def check(polled: object, changed: PasswordWasChangedInBrowser) -> None:
            assert not screen.refreshes(polled)
            assert not isinstance(screen.poll(), TokenAnswer)
            assert visitor.person.live_sids() == {changed.signed_in.sid}

        return Duel((screen.poll, partial(visitor.change_password, browser)), check)

    fight(prepare, rounds // 5)
