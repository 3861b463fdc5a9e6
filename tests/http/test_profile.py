"""`PATCH /api/account`: what users say of themselves, and can take away again."""

from typing import Any

import pytest

from tests.support.people.api import Api, content, field_errors
from tests.support.people.credentials import Tokens

PROFILE = {
    "name": "Ada Lovelace",
    "given_name": "Ada",
    "family_name": "Lovelace",
    "phone_number": "+442079460000",
    "address": "12 St James's Square\nLondon",
}


@pytest.fixture
def tokens(api: Api, user_id: str) -> Tokens:
    return api.sign_in()


def patch(api: Api, tokens: Tokens, **profile: object) -> Any:  # noqa: ANN401 - a response
    return api.call("PATCH", "/account", tokens["access_token"], json=profile)


def told(api: Api, tokens: Tokens) -> dict[str, Any]:
    """What is kept, as far as the user says it himself."""
    account = content(api.get("/account", tokens["access_token"]), 200)
    return {name: account[name] for name in PROFILE}


def test_a_profile_is_kept_and_shown_and_exported(api: Api, tokens: Tokens) -> None:
    answer = content(patch(api, tokens, **PROFILE), 200)
    assert {name: answer[name] for name in PROFILE} == PROFILE
    assert told(api, tokens) == PROFILE
    assert content(api.get("/account/export", tokens["access_token"]), 200)["account"] == answer


@pytest.mark.parametrize("member", PROFILE)
def test_what_is_not_named_stays_and_what_is_empty_goes(api: Api, tokens: Tokens, member: str) -> None:
    """ASVS 14.2.7: nobody has to leave his number here for ever."""
    content(patch(api, tokens, **PROFILE), 200)
    content(patch(api, tokens, **{member: ""}), 200)
    assert told(api, tokens) == {**PROFILE, member: ""}


@pytest.mark.parametrize("number", ["+4420", "+1" * 1 + "2" * 14])
def test_phone_numbers_are_those_of_the_world(api: Api, tokens: Tokens, number: str) -> None:
    assert content(patch(api, tokens, phone_number=number), 200)["phone_number"] == number


@pytest.mark.parametrize(
    "number",
    ["442079460000", "+", "+442", "+4" * 9, "+44 2079", "+44-2079", "+0442079", "+\u0664\u0664\u0664\u0664", "+4420\n"],
)
def test_a_phone_number_has_one_spelling(api: Api, tokens: Tokens, number: str) -> None:
    """E.164; ASVS 2.2.1."""
    assert field_errors(patch(api, tokens, phone_number=number)) == {"phone_number": "invalid_phone_number"}
    assert told(api, tokens)["phone_number"] == ""


@pytest.mark.parametrize("address", ["x" * 301, "a\tb", "a\x1b[2Jb", "a\u2028b", "a\rb"])
def test_an_address_is_lines_of_printable_text(api: Api, tokens: Tokens, address: str) -> None:
    """ASVS 16.4.1: nothing that would do something where it is shown."""
    assert field_errors(patch(api, tokens, address=address)) == {"address": "invalid_address"}


def test_lines_end_alike_wherever_they_were_typed(api: Api, tokens: Tokens) -> None:
    assert content(patch(api, tokens, address="a\r\nb\nc"), 200)["address"] == "a\nb\nc"


def test_a_change_names_something(api: Api, tokens: Tokens) -> None:
    assert field_errors(patch(api, tokens)) == {"": "missing"}
    assert field_errors(patch(api, tokens, name=None)) == {"name": "wrong_type"}
    names = dict.fromkeys(("name", "given_name", "family_name"), "a\nb")
    assert field_errors(patch(api, tokens, **names, phone_number="1", address="\t")) == {
        **dict.fromkeys(names, "invalid_name"),
        "phone_number": "invalid_phone_number",
        "address": "invalid_address",
    }
