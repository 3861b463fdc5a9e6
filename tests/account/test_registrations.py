"""Concurrent registrations of one address create one account with one password (decision 30)."""

import dataclasses

import pytest

from authserver.account.confirm_address import confirm_email
from authserver.account.register import Awaited, register
from authserver.authentication.open_session import DeviceClaim
from authserver.authentication.sign_in import SignIn, sign_in
from authserver.clients.register_client import FIRST_PARTY_CLIENT_ID
from authserver.protocol.secret import Secret
from authserver.realm import Realm, Registration
from authserver.realm.outcomes import Refused
from authserver.tokens.token_answer import TokenAnswer
from tests.support.faults.racing import Duel, fight
from tests.support.people.mail import deliver_all, read_link
from tests.support.people.person import ORIGIN
from tests.support.people.refreshing import IP

PASSWORDS = ("the first of two passwords", "the second of two passwords")


def _signs_in(realm: Realm, email: str, password: str) -> bool:
    device = DeviceClaim(None, None)
    outcome = sign_in(realm, SignIn(email, Secret(password), FIRST_PARTY_CLIENT_ID, None, device, ORIGIN))
    return isinstance(outcome, TokenAnswer)


@pytest.mark.races
def test_of_two_links_used_at_once_one_creates_the_account(crowded: Realm, rounds: int) -> None:
    """Only the password of the registration whose link succeeded signs in."""
    strict = dataclasses.replace(crowded, registration=Registration(open=True, require_verified_email=True))
    duels = []
    for number in range(6 + max(rounds // 10, 1)):
        email = f"contested{number}@example.test"
        for password in PASSWORDS:
            assert isinstance(register(strict, email=email, password=Secret(password), name=""), Awaited)
            duels.append((email, read_link(deliver_all(crowded)[0])))
    pairs = iter(zip(duels[::2], duels[1::2], strict=True))

    def prepare() -> Duel:
        (email, first), (_, second) = next(pairs)

        def check(*outcomes: Refused | None) -> None:
            assert [type(outcome) for outcome in outcomes].count(type(None)) == 1, outcomes
            for password, outcome in zip(PASSWORDS, outcomes, strict=True):
                assert _signs_in(crowded, email, password) is (outcome is None)

        return Duel((lambda: confirm_email(crowded, first, IP), lambda: confirm_email(crowded, second, IP)), check)

    fight(prepare, max(rounds // 10, 1))
