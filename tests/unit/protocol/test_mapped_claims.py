"""Which names an operator may choose for a claim."""

from dataclasses import fields

import pytest

from authserver.protocol.claims import ClientToken, IdTokenClaims, UserToken
from authserver.protocol.mapped_claims import LONGEST_NAME, RESERVED, find_name_fault
from authserver.protocol.user_claims import CLAIMS_OF_SCOPE

OURS = {field.name for kind in (UserToken, ClientToken, IdTokenClaims) for field in fields(kind)}
OF_USERS = {name for names in CLAIMS_OF_SCOPE.values() for name in names}
OF_STANDARDS = {"nbf", "cnf", "azp", "c_hash", "s_hash", "events", "act", "typ", "authorization_details", "nickname"}


@pytest.mark.parametrize("name", sorted((OURS | OF_USERS | OF_STANDARDS) - {"roles"}))
def test_a_name_with_a_meaning_is_reserved(name: str) -> None:
    """A resource server or a client would believe what it reads there."""
    assert find_name_fault(name, "roles") == "is a reserved name"


@pytest.mark.parametrize("name", ["groups", "roles", "authorities", "https://app.example/roles", "cognito:groups"])
def test_other_names_can_be_chosen(name: str) -> None:
    assert find_name_fault(name, "roles") is None


@pytest.mark.parametrize("name", ["", "a b", "a\nb", "gröups", "g" * (LONGEST_NAME + 1), "\u202egroups"])
def test_a_name_is_short_and_plain(name: str) -> None:
    assert find_name_fault(name, "roles") is not None


def test_a_claim_holds_only_what_is_known() -> None:
    assert find_name_fault("groups", "password") == "has an unknown source; known: roles"
    assert "groups" not in RESERVED
