"""The time of a refused sign-in does not reveal who has an account, also with imported users (ASVS 6.3.8).

These tests count the requested hashes by format and cost. Measured time would show the same with noise.
"""

import re
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
import sqlalchemy

from authserver.authentication.open_session import DeviceClaim, RequestSource
from authserver.authentication.sign_in import SignIn, sign_in
from authserver.clients.register_client import FIRST_PARTY_CLIENT_ID
from authserver.credentials.events import UserDisabled, UserLocked
from authserver.credentials.passwords import PasswordHasher
from authserver.protocol.entropy import new_id
from authserver.protocol.secret import Secret
from authserver.realm import Realm
from authserver.realm.outcomes import Refused
from authserver.records.audit import Actor
from authserver.records.user import NewUser
from authserver.storage import users
from authserver.storage.schema import User
from authserver.tokens.token_answer import TokenAnswer
from tests.support.world.realm import EMAIL, PASSWORD, add_user

BCRYPT = "$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW"
PHPASS = "$P$B12345678IcVbKeFLHSVYcQnJuoTCe."
ARGON2 = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
CROWD = 200
WRONG = "not the password of anybody"


@pytest.fixture
def worked_on(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The formats and costs of the hashes to verify, in order. Nothing is hashed."""
    hashes: list[str] = []

    def note(_self: PasswordHasher, _password: Secret, stored: str) -> bool:
        found = re.match(r"\$2b\$12\$|\$P\$B|\$argon2id\$v=19\$[^$]*\$", stored)
        assert found is not None, stored
        hashes.append(found[0])
        return False

    monkeypatch.setattr(PasswordHasher, "_fits", note)
    return hashes


def fill(realm: Realm, *hashes: str | None, count: int = CROWD) -> None:
    """Add `count` users, who have `hashes` in turn."""
    with realm.database.write() as tx:
        for number in range(count):
            hashed = hashes[number % len(hashes)]
            user = NewUser(new_id(realm.entropy), f"user-{number}@example.test", "", hashed, (), email_verified=True)
            assert users.add(tx, user, realm.clock.now())


def try_on(realm: Realm, email: str, password: str = WRONG) -> TokenAnswer | Refused:
    attempt = SignIn(
        email, Secret(password), FIRST_PARTY_CLIENT_ID, None, DeviceClaim(None, None), RequestSource("192.0.2.1", "")
    )
    outcome = sign_in(realm, attempt)
    assert isinstance(outcome, TokenAnswer | Refused)
    return outcome


def count_unknown(realm: Realm, worked_on: list[str]) -> Counter[str]:
    """Try unknown addresses, and count the hashes to verify: one for each address."""
    worked_on.clear()
    for number in range(CROWD):
        try_on(realm, f"nobody-{number}@example.test")
    assert len(worked_on) == CROWD
    return Counter(worked_on)


def test_unknown_addresses_cost_what_users_cost(realm: Realm, worked_on: list[str]) -> None:
    """If of ten users seven have bcrypt, two phpass and one argon2id, unknown addresses have about the same shares."""
    fill(realm, *[BCRYPT] * 7, *[PHPASS] * 2, ARGON2)
    counted = count_unknown(realm, worked_on)
    assert 0.55 * CROWD < counted["$2b$12$"] < 0.85 * CROWD
    assert 0.08 * CROWD < counted["$P$B"] < 0.35 * CROWD
    assert 0.02 * CROWD < counted["$argon2id$v=19$m=19456,t=2,p=1$"] < 0.25 * CROWD


def test_an_unknown_address_costs_the_same_each_time(realm: Realm, worked_on: list[str]) -> None:
    """Otherwise two tries would distinguish it from a user."""
    fill(realm, BCRYPT, PHPASS, ARGON2)
    assert count_unknown(realm, worked_on) == count_unknown(realm, worked_on)
    first, worked_on[:] = list(worked_on), []
    count_unknown(realm, worked_on)
    assert worked_on == first


def test_without_users_an_unknown_address_costs_a_hash_of_today(realm: Realm, worked_on: list[str]) -> None:
    assert count_unknown(realm, worked_on) == {"$argon2id$v=19$m=64,t=1,p=1$": CROWD}


@pytest.mark.parametrize("state", ["wrong", "locked", "disabled", "unverified"])
def test_every_user_costs_their_own_hash(realm: Realm, worked_on: list[str], state: str) -> None:
    """A locked, disabled or unverified user costs the same as an active one."""
    user_id = add_user(realm)
    with realm.database.write() as tx:
        values = {"password_hash": BCRYPT, "email_verified": state != "unverified"}
        tx.execute(sqlalchemy.update(User).where(User.user_id == user_id).values(**values))
        event = {"locked": UserLocked, "disabled": UserDisabled}.get(state)
        if event is not None:
            realm.revocation.apply(tx, event(user_id), by=Actor("test"), now=realm.clock.now())
    worked_on.clear()
    try_on(realm, EMAIL)
    assert worked_on == ["$2b$12$"]


def test_a_user_without_a_password_costs_the_hash_of_another_user(realm: Realm, worked_on: list[str]) -> None:
    fill(realm, BCRYPT)
    with realm.database.write() as tx:
        user = NewUser(new_id(realm.entropy), EMAIL, "", None, (), email_verified=True)
        assert users.add(tx, user, realm.clock.now())
    try_on(realm, EMAIL)
    assert len(worked_on) == 1


def test_known_and_unknown_addresses_cause_the_same_statements(
    realm: Realm, worked_on: list[str], recording: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    fill(realm, BCRYPT)
    try_on(realm, EMAIL)  # the first attempt also looks the client up
    said = []
    for email in ("user-0@example.test", "nobody@example.test"):
        with recording() as statements:
            try_on(realm, email)
        said.append([statement.partition("WHERE")[0].partition("VALUES")[0] for statement in statements])
    assert said[0] == said[1]


def test_the_password_that_fits_the_decoy_signs_nobody_in(realm: Realm) -> None:
    """If an unknown address gets another user's hash as decoy, the matching password is still refused."""
    add_user(realm)
    refused = try_on(realm, "nobody@example.test", PASSWORD)
    assert isinstance(refused, Refused)
    assert refused.reason == "unknown_address"
