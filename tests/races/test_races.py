"""Two things at once to one account (design §5), on both databases, with more threads than connections.

Each pair is tried in exact interleavings (one of the two stopped before its transaction, before its statement, before
its commit) and then at random, `--rounds` times. What must hold is said once and holds whichever was faster.
"""

from collections.abc import Callable

import pytest

from authserver.account.change_email import ask_email_change
from authserver.account.change_password import PasswordWasChanged
from authserver.account.confirm_address import confirm_email
from authserver.account.own_account import delete_account
from authserver.administration.set_password import set_password
from authserver.authentication.bearer import Bearer, authenticate_bearer
from authserver.authentication.reauthentication import Recent
from authserver.authentication.sign_out import sign_out, sign_out_everywhere
from authserver.credentials.passwords import HashProfile, PasswordHasher
from authserver.protocol.oauth_error import OAuthError
from authserver.protocol.secret import Secret
from authserver.realm import Realm
from authserver.realm.outcomes import INVALID_CREDENTIALS, WRONG_PASSWORD, Refused
from authserver.records.link import LinkPurpose
from authserver.records.presence import BearerRefused
from authserver.revocation import Receipt
from authserver.storage import links
from authserver.tokens.token_answer import TokenAnswer
from tests.support.faults.racing import Duel, fight
from tests.support.people.person import BY, NEW_PASSWORD, Person
from tests.support.people.refreshing import IP
from tests.support.world.realm import PASSWORD, with_hashing

pytestmark = pytest.mark.races


def _delete(person: Person, bearer: Bearer) -> object:
    return delete_account(person.realm, Recent(bearer), Secret(PASSWORD), IP)


def _move(person: Person, bearer: Bearer) -> object:
    return ask_email_change(person.realm, Recent(bearer), new_email=f"thief-{person.email}", password=Secret(PASSWORD))


def test_a_sign_in_verified_before_a_change_leaves_no_session_after_it(crowded: Realm, rounds: int) -> None:
    """The write skew of design §5: whichever commits first, only the renewed session lives."""

    def prepare() -> Duel:
        person = Person(crowded)
        bearer = person.bearer(person.sign_in())

        def check(signed_in: TokenAnswer | Refused, changed: PasswordWasChanged) -> None:
            assert isinstance(signed_in, TokenAnswer) or signed_in.code == INVALID_CREDENTIALS
            person.assert_dead(signed_in)
            person.assert_only_alive(changed.tokens)

        return Duel((person.try_sign_in, lambda: person.change_password(bearer)), check)

    fight(prepare, rounds)


def test_a_sign_in_with_the_new_password_lives_in_the_same_second(crowded: Realm) -> None:
    """Versions decide, never timestamps: the clock stands still here."""
    person = Person(crowded)
    changed = person.change_password(person.bearer(person.sign_in()))
    assert isinstance(changed, PasswordWasChanged)
    person.assert_only_alive(changed.tokens, person.sign_in(password=NEW_PASSWORD))


def test_a_refresh_beside_the_change_of_another_device_outlives_it_never(crowded: Realm, rounds: int) -> None:
    def prepare() -> Duel:
        person = Person(crowded)
        mine, other = person.sign_in(), person.sign_in()
        bearer = person.bearer(mine)

        def check(refreshed: TokenAnswer | OAuthError, changed: PasswordWasChanged) -> None:
            assert isinstance(refreshed, TokenAnswer) or (refreshed.error, refreshed.soft_logout) == (
                "invalid_grant",
                False,
            )
            person.assert_dead(refreshed, other, mine)
            person.assert_only_alive(changed.tokens)

        return Duel((lambda: person.refresh(other), lambda: person.change_password(bearer)), check)

    fight(prepare, rounds)


def test_a_refresh_beside_a_change_that_spares_the_devices_always_succeeds(crowded: Realm, rounds: int) -> None:
    """`logout_devices: false`: the other device goes on after one refresh, and its stale access token does not pass."""

    def prepare() -> Duel:
        person = Person(crowded)
        other, bearer = person.sign_in(), person.bearer(person.sign_in())

        def check(refreshed: TokenAnswer, changed: PasswordWasChanged) -> None:
            assert isinstance(authenticate_bearer(crowded, other.access_token), BearerRefused)
            person.assert_only_alive(changed.tokens, refreshed)

        change = person.change_password
        return Duel((lambda: person.refresh(other), lambda: change(bearer, logout_devices=False)), check)

    fight(prepare, rounds // 5)


def test_a_refresh_of_the_session_that_changes_the_password_dies_with_it(crowded: Realm, rounds: int) -> None:
    """Renewed: the old family of the current session ends too, whatever generation a thief has brought it to."""

    def prepare() -> Duel:
        person = Person(crowded)
        mine = person.sign_in()
        bearer = person.bearer(mine)

        def check(refreshed: TokenAnswer | OAuthError, changed: PasswordWasChanged) -> None:
            assert isinstance(refreshed, TokenAnswer) or refreshed.soft_logout is True
            person.assert_dead(refreshed, mine)
            person.assert_only_alive(changed.tokens)

        return Duel((lambda: person.refresh(mine), lambda: person.change_password(bearer)), check)

    fight(prepare, rounds // 5)


@pytest.mark.parametrize("leave", [sign_out, sign_out_everywhere])
def test_a_refresh_beside_a_sign_out_brings_nothing_back(crowded: Realm, rounds: int, leave: type) -> None:
    def prepare() -> Duel:
        person = Person(crowded)
        mine = person.sign_in()
        bearer = person.bearer(mine)

        def check(refreshed: TokenAnswer | OAuthError, receipt: Receipt) -> None:
            assert receipt.sessions_ended == 1
            person.assert_dead(refreshed, mine)
            person.assert_only_alive()

        return Duel((lambda: person.refresh(mine), lambda: leave(crowded, bearer, IP)), check)

    fight(prepare, rounds)


def test_of_two_changes_with_one_password_the_second_is_refused(crowded: Realm, rounds: int) -> None:
    """The loser's device ends with the others; one change, one bump, and the next change is another."""

    def prepare() -> Duel:
        person = Person(crowded)
        devices = person.sign_in(), person.sign_in()
        bearers = [person.bearer(device) for device in devices]
        passwords = "the first passphrase of two", "the second passphrase of two"

        def check(*outcomes: PasswordWasChanged | Refused) -> None:
            (winner,) = [n for n, outcome in enumerate(outcomes) if isinstance(outcome, PasswordWasChanged)]
            won, lost = outcomes[winner], outcomes[1 - winner]
            assert isinstance(won, PasswordWasChanged)
            assert isinstance(lost, Refused)
            assert lost.code == WRONG_PASSWORD
            assert (won.receipt.token_version, person.row.token_version) == (2, 2)
            person.assert_dead(*devices)
            person.assert_only_alive(won.tokens)
            for password in (PASSWORD, passwords[1 - winner]):
                assert isinstance(person.try_sign_in(password=password), Refused)
            again = person.change_password(person.bearer(won.tokens), current=passwords[winner])
            assert isinstance(again, PasswordWasChanged)
            assert again.receipt.token_version == 3

        first, second = (lambda n=n: person.change_password(bearers[n], passwords[n]) for n in range(2))
        return Duel((first, second), check)

    fight(prepare, rounds)


def test_an_administrator_who_sets_a_password_beside_a_change_wins(crowded: Realm, rounds: int) -> None:
    """Two that both happen are two bumps, and what the administrator set is in force after either order."""

    def prepare() -> Duel:
        person = Person(crowded)
        mine = person.sign_in()
        bearer = person.bearer(mine)

        def check(changed: PasswordWasChanged | Refused, receipt: Receipt) -> None:
            tokens = [changed.tokens] if isinstance(changed, PasswordWasChanged) else []
            assert person.row.token_version == receipt.token_version == 2 + len(tokens)
            person.assert_dead(mine, *tokens)
            person.assert_only_alive()
            person.assert_only_alive(person.sign_in(password="what the administrator set"))

        set_by_admin = Secret("what the administrator set")
        return Duel(
            (
                lambda: person.change_password(bearer),
                lambda: set_password(crowded, person.user_id, set_by_admin, by=BY),
            ),
            check,
        )

    fight(prepare, rounds // 5)


@pytest.mark.parametrize("act", [_delete, _move])
def test_an_act_whose_password_was_verified_before_a_reset_does_nothing_after_it(
    crowded: Realm, rounds: int, act: Callable[[Person, Bearer], object]
) -> None:
    """A thief's deletion or change of address, in flight while the owner takes the account back."""

    def prepare() -> Duel:
        person = Person(crowded)
        bearer = person.bearer(person.sign_in())
        link = person.add_link(LinkPurpose.RESET_PASSWORD)

        def check(acted: Receipt | Refused | None, reset: Receipt | Refused) -> None:
            if isinstance(acted, Receipt):
                assert isinstance(reset, Refused), "deleted after the reset"
            else:
                assert isinstance(reset, Receipt)
                with crowded.database.read() as tx:
                    pending = links.count_live(tx, person.user_id, LinkPurpose.CHANGE_EMAIL, crowded.clock.now())
                assert pending == 0, "a link to the thief's address outlives the reset"

        return Duel((lambda: act(person, bearer), lambda: person.reset(link)), check)

    fight(prepare, rounds // 5)


def test_a_reset_beside_a_change_of_address_leaves_the_address_that_the_reset_went_to(
    crowded: Realm, rounds: int
) -> None:
    """The link to the thief's address and the link to the owner's are used at once."""

    def prepare() -> Duel:
        person = Person(crowded)
        thief = person.sign_in()
        confirm = person.add_link(LinkPurpose.CHANGE_EMAIL, f"thief-{person.email}", sid=thief.sid)
        reset = person.add_link(LinkPurpose.RESET_PASSWORD)

        def check(moved: Receipt | Refused, receipt: Receipt | Refused) -> None:
            assert isinstance(moved, Receipt) is not isinstance(receipt, Receipt), "each kills the other's link"
            assert person.row.email == (person.email if isinstance(receipt, Receipt) else f"thief-{person.email}")

        return Duel((lambda: confirm_email(crowded, confirm, IP), lambda: person.reset(reset)), check)

    fight(prepare, rounds // 5)


def test_a_rehash_never_writes_the_old_password_back(crowded: Realm, rounds: int) -> None:
    """The sign-in verified the old password, hashed it anew and writes late; it ends nothing and bumps nothing."""
    stronger = with_hashing(crowded, hasher=PasswordHasher(HashProfile(memory_kib=128, passes=1, lanes=1)))

    def prepare() -> Duel:
        person = Person(crowded)
        bearer = person.bearer(person.sign_in())
        person.realm = stronger

        def check(signed_in: TokenAnswer | Refused, changed: PasswordWasChanged) -> None:
            assert isinstance(changed, PasswordWasChanged), "a re-hash is no change of credentials"
            assert person.row.token_version == 2
            person.assert_dead(signed_in)
            assert isinstance(person.try_sign_in(password=PASSWORD), Refused)
            person.assert_only_alive(changed.tokens, person.sign_in(password=NEW_PASSWORD))

        return Duel((person.try_sign_in, lambda: person.change_password(bearer)), check)

    fight(prepare, rounds // 5)
