"""A user's or client's standing beside a sign-in or refresh: roles, locks, disabling, deletion (design §5)."""

import pytest

from authserver.authentication.bearer import authenticate_bearer
from authserver.clients.client_standing import disable_client, enable_client
from authserver.clients.register_client import ClientRegistration, RegisteredClient, register_client
from authserver.credentials.events import (
    RolesChanged,
    SignedOutByAdmin,
    UserDeleted,
    UserDisabled,
    UserEnabled,
    UserLocked,
    UserUnlocked,
)
from authserver.protocol.client_metadata import ClientKind
from authserver.protocol.oauth_error import OAuthError
from authserver.realm import Realm
from authserver.realm.outcomes import Refused
from authserver.records.presence import BearerRefused
from authserver.revocation import Receipt
from authserver.tokens.token_answer import TokenAnswer
from tests.support.faults.racing import Duel, fight
from tests.support.people.person import BY, Person
from tests.support.world.realm import PASSWORD, SCOPE

pytestmark = pytest.mark.races


def test_a_token_of_a_sign_in_beside_a_change_of_roles_carries_the_new_roles_or_is_stale(
    crowded: Realm, rounds: int
) -> None:
    def prepare() -> Duel:
        person = Person(crowded, roles=("admin",))

        def check(signed_in: TokenAnswer, _receipt: Receipt) -> None:
            bearer = authenticate_bearer(crowded, signed_in.access_token)
            if isinstance(bearer, BearerRefused):
                assert bearer.code == "stale_token_version"
            else:
                assert bearer.claims.roles == ("reader",)
                assert "admin" not in signed_in.scope.split()
            refreshed = person.refresh(signed_in)
            assert isinstance(refreshed, TokenAnswer)
            assert person.bearer(refreshed).claims.roles == ("reader",)
            assert "admin" not in refreshed.scope.split()

        return Duel((person.try_sign_in, lambda: person.apply(RolesChanged(person.user_id, ("reader",)))), check)

    fight(prepare, rounds)


def test_a_token_of_a_refresh_beside_a_change_of_roles_carries_the_new_roles_or_is_stale(
    crowded: Realm, rounds: int
) -> None:
    def prepare() -> Duel:
        person = Person(crowded, roles=("admin",))
        mine = person.sign_in()

        def check(refreshed: TokenAnswer, _receipt: Receipt) -> None:
            bearer = authenticate_bearer(crowded, refreshed.access_token)
            assert isinstance(bearer, BearerRefused) or bearer.claims.roles == ("reader",)
            person.assert_only_alive(refreshed)

        return Duel(
            (lambda: person.refresh(mine), lambda: person.apply(RolesChanged(person.user_id, ("reader",)))), check
        )

    fight(prepare, rounds // 5)


def test_a_refresh_beside_a_lock_is_answered_or_refused_softly_and_goes_on_after_the_unlock(
    crowded: Realm, rounds: int
) -> None:
    """A lock is not a logout, and while it lasts nothing passes."""

    def prepare() -> Duel:
        person = Person(crowded)
        mine = person.sign_in()

        def check(refreshed: TokenAnswer | OAuthError, _receipt: Receipt) -> None:
            assert isinstance(refreshed, TokenAnswer) or refreshed.soft_logout is True
            held = refreshed if isinstance(refreshed, TokenAnswer) else mine
            person.assert_dead(held)
            person.apply(UserUnlocked(person.user_id))
            person.bearer(held)
            person.assert_only_alive(held)

        return Duel((lambda: person.refresh(mine), lambda: person.apply(UserLocked(person.user_id))), check)

    fight(prepare, rounds)


@pytest.mark.parametrize("shut_out", [UserDisabled, SignedOutByAdmin])
def test_a_sign_in_beside_an_act_of_an_administrator_never_outlives_it_unseen(
    crowded: Realm, rounds: int, shut_out: type[UserDisabled | SignedOutByAdmin]
) -> None:
    """Disabled: nothing lives, now or after the user is enabled. Signed out: what lives began after it."""

    def prepare() -> Duel:
        person = Person(crowded)

        def check(signed_in: TokenAnswer | Refused, receipt: Receipt) -> None:
            if shut_out is UserDisabled:
                person.assert_dead(signed_in)
                person.apply(UserEnabled(person.user_id))
                person.assert_dead(signed_in)
                person.assert_only_alive()
            elif receipt.sessions_ended:
                person.assert_dead(signed_in)
            else:
                assert isinstance(signed_in, TokenAnswer)
                person.bearer(signed_in)
                person.assert_only_alive(signed_in)

        return Duel((person.try_sign_in, lambda: person.apply(shut_out(person.user_id))), check)

    fight(prepare, rounds // 5)


def test_a_refresh_beside_the_disabling_of_its_client_is_dead_for_good(crowded: Realm, rounds: int) -> None:
    def prepare() -> Duel:
        registration = ClientRegistration("App", ClientKind.PUBLIC, first_party=True, scope=SCOPE)
        registered = register_client(crowded, registration)
        assert isinstance(registered, RegisteredClient)
        client_id = registered.client.client_id
        person = Person(crowded, client_id=client_id)
        mine = person.sign_in()

        def check(refreshed: TokenAnswer | OAuthError, _receipt: Receipt) -> None:
            person.assert_dead(refreshed, mine)
            enable_client(crowded, client_id)
            crowded.clients._cached.clear()
            person.assert_dead(refreshed, mine)
            person.assert_alive(person.sign_in())

        return Duel((lambda: person.refresh(mine), lambda: disable_client(crowded, client_id, BY)), check)

    fight(prepare, rounds // 5)


def test_a_refresh_beside_a_deletion_is_dead(crowded: Realm, rounds: int) -> None:
    def prepare() -> Duel:
        person = Person(crowded)
        mine = person.sign_in()

        def check(refreshed: TokenAnswer | OAuthError, _receipt: Receipt) -> None:
            person.assert_dead(refreshed, mine)
            assert isinstance(person.try_sign_in(), Refused)

        return Duel((lambda: person.refresh(mine), lambda: person.apply(UserDeleted(person.user_id))), check)

    fight(prepare, rounds // 5)


def test_what_was_let_in_before_a_lock_changes_no_password_after_it(crowded: Realm) -> None:
    """The state is compared with the version: whoever locks an account wants nothing to change in it."""
    person = Person(crowded)
    bearer = person.bearer(person.sign_in())
    person.apply(UserLocked(person.user_id))
    assert isinstance(person.change_password(bearer), Refused)
    person.apply(UserUnlocked(person.user_id))
    person.sign_in(password=PASSWORD)
