"""What is kept of a user: the rules need no database."""

import pytest

from authserver.records.user import Profile
from authserver.records.user_rules import find_name_errors, find_profile_errors, find_role_errors


@pytest.mark.parametrize(
    ("name", "is_good"), [("", True), ("Ada", True), ("A" * 200, True), ("A" * 201, False), ("A\nB", False)]
)
def test_a_name_is_one_line_of_bounded_length(name: str, is_good: bool) -> None:  # noqa: FBT001
    assert [error.code for error in find_name_errors(name)] == ([] if is_good else ["invalid_name"])


def test_each_bad_role_is_named() -> None:
    """Roles are kept with spaces between."""
    assert [error.message.split()[0] for error in find_role_errors(("admin", "two words", "", "ä"))] == [
        "'two",
        "''",
        "'ä'",
    ]


def test_all_errors_of_a_profile_are_found() -> None:
    profile = Profile(name="A\nB", phone_number="0123", address="1\n" + "x" * 300)
    assert [error.field for error in find_profile_errors(profile)] == ["name", "phone_number", "address"]
    assert list(find_profile_errors(Profile(name="Ada", phone_number="+4912345", address="Lane 1\nTown"))) == []
