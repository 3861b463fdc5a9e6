"""The text of a password: NFC once, and nothing else changed."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authserver.credentials.password_text import PasswordBreach, normalise_password
from authserver.credentials.passwords import CHEAP, PasswordHasher
from authserver.protocol.secret import Secret


def _accepted(text: str) -> str:
    password = normalise_password(text)
    assert isinstance(password, Secret)
    return password.reveal()


def _refused(text: str) -> str:
    breach = normalise_password(text)
    assert isinstance(breach, PasswordBreach)
    return breach.code


@pytest.mark.parametrize(
    "text", ["x", " leading and trailing ", "MiXeD cAsE", "tab\tand\nnewline", "🔑" * 1024, "ﬁ", "\u200b"]
)
def test_what_is_already_normal_stays_as_it_is(text: str) -> None:
    """ASVS 6.2.8: nothing cut, nothing trimmed, case kept."""
    assert _accepted(text) == text


def test_two_keyboards_give_one_password() -> None:
    assert _accepted("Ame\u0301lie") == _accepted("Am\u00e9lie")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty"),
        ("x" * 1025, "too_long"),
        ("x" * 10_000_000, "too_long"),
        ("nul\0inside", "invalid_character"),
        ("lone \ud800 surrogate", "invalid_character"),
        (f"lone {chr(0xDFFF)} surrogate", "invalid_character"),
    ],
)
def test_what_is_no_password_is_refused(text: str, code: str) -> None:
    """ASVS 6.2.8: an inner NUL is refused, not a place to stop reading."""
    assert _refused(text) == code


def test_length_is_counted_after_normalising() -> None:
    assert len(_accepted("e\u0301" * 1024)) == 1024
    assert _refused("e\u0301" * 1025) == "too_long"


def test_the_longest_decomposition_of_one_character_has_four_code_points() -> None:
    """What the check before normalising relies on: a text it refuses could not have become short enough."""
    every = (chr(point) for point in range(0x110000) if not 0xD800 <= point <= 0xDFFF)
    assert max(len(unicodedata.normalize("NFD", character)) for character in every) == 4


def test_the_longest_password_can_be_hashed() -> None:
    """1,024 characters of four bytes are passlib's limit to the byte."""
    hasher = PasswordHasher(CHEAP)
    password = Secret(_accepted("🔑" * 1024))
    assert hasher.verify(password, hasher.hash(password)).matches


@given(st.text())
def test_normalising_twice_changes_nothing(text: str) -> None:
    password = normalise_password(text)
    if isinstance(password, Secret):
        assert normalise_password(password.reveal()) == password
    else:
        assert password.code in {"empty", "too_long", "invalid_character"}


@given(st.text())
def test_no_refusal_repeats_the_password(text: str) -> None:
    refusal = normalise_password(text + "\0")
    assert isinstance(refusal, PasswordBreach)
    assert refusal.message == "The password contains an invalid character."
