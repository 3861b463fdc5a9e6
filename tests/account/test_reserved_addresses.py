"""While a change of address can be reverted, nobody else gets the old address, in any interleaving (design §5)."""

from collections.abc import Callable
from typing import Any

import pytest

from authserver.account.change_email import revert_email
from authserver.account.confirm_address import confirm_email
from authserver.account.register import create_user, register
from authserver.administration.import_users import Arrival, Imported, import_users
from authserver.protocol.secret import Secret
from authserver.realm import Realm
from authserver.realm.outcomes import Refused
from authserver.records.link import LinkPurpose
from authserver.revocation import Receipt
from authserver.storage import users
from tests.support.faults.racing import Duel, fight
from tests.support.people.person import BY, Person
from tests.support.people.refreshing import IP
from tests.support.world.realm import PASSWORD

pytestmark = pytest.mark.races


def _register(realm: Realm, address: str) -> object:
    return register(realm, email=address, password=Secret(PASSWORD), name="")


def _create(realm: Realm, address: str) -> object:
    return create_user(realm, email=address, password=None, name="", roles=(), email_verified=True)


def _import(realm: Realm, address: str) -> object:
    return import_users(realm, [Arrival(1, address, "", None, (), email_verified=True)], by=BY)


def _change(realm: Realm, address: str) -> object:
    return confirm_email(realm, Person(realm).add_link(LinkPurpose.CHANGE_EMAIL, address), IP)


@pytest.mark.parametrize("want", [_register, _create, _import, _change])
def test_the_old_address_is_never_free_during_a_change_of_address(
    crowded: Realm, rounds: int, want: Callable[[Realm, str], Any]
) -> None:
    """Others who want it are refused before and after the change, and its owner can revert the change."""

    def prepare() -> Duel:
        person = Person(crowded)
        old, new = person.email, f"new-{person.email}"
        link = person.add_link(LinkPurpose.CHANGE_EMAIL, new)

        def check(changed: Receipt | Refused, wanted: object) -> None:
            assert isinstance(changed, Receipt), changed
            assert isinstance(wanted, Refused) or (isinstance(wanted, Imported) and wanted.count == 0), wanted
            with crowded.database.read() as tx:
                assert users.find_by_email(tx, old) is None
            revert = person.find_link(LinkPurpose.REVERT_EMAIL)
            assert isinstance(revert_email(crowded, revert, IP), Receipt)
            assert person.row.email == old

        return Duel((lambda: confirm_email(crowded, link, IP), lambda: want(crowded, old)), check)

    fight(prepare, max(rounds // 10, 1))
