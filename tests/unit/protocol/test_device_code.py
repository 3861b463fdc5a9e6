"""User codes and device codes (RFC 8628 §6.1)."""

from collections import Counter

import pytest

from authserver.protocol.device_code import (
    USER_CODE_LETTERS,
    new_user_code,
    read_user_code,
    show_user_code,
    tag_user_code,
)
from tests.support.world.entropy import SeededEntropy


def test_user_codes_are_eight_letters_of_which_each_is_as_likely(entropy: SeededEntropy) -> None:
    """RFC 8628 §5.1, §6.1: 34 bits in a code; a letter that came more often would give some of them away."""
    codes = [new_user_code(entropy) for _ in range(2000)]
    counted = Counter("".join(codes))
    assert {len(code) for code in codes} == {8}
    assert set(counted) == set("BCDFGHJKLMNPQRSTVWXZ") == set(USER_CODE_LETTERS)
    expected = 2000 * 8 / len(USER_CODE_LETTERS)
    assert all(0.8 * expected < count < 1.2 * expected for count in counted.values())


def test_bytes_above_the_last_whole_round_of_letters_are_left_out() -> None:
    """Else the first sixteen letters would come more often than the last four."""
    drawn = iter([bytes([255] * 8 + [240] * 8), bytes(range(16))])
    assert new_user_code(lambda _: next(drawn)) == "BCDFGHJK"


@pytest.mark.parametrize(
    "typed",
    ["WDJBMJHT", "WDJB-MJHT", "wdjb-mjht", " w d j b m j h t ", "wdjb\u2013mjht", "W.D.J.B_M/J/H/T\n"],
)
def test_a_code_is_read_whatever_the_case_and_the_punctuation(typed: str) -> None:
    """RFC 8628 §6.1."""
    assert read_user_code(typed) == "WDJBMJHT"


@pytest.mark.parametrize(
    "typed", ["", "WDJB-MJH", "WDJB-MJHTT", "ADJB-MJHT", "WDJB-MJH1", "W" * 100, "ß" * 4, "WDJBMJH\u0442"]
)
def test_what_is_no_code_is_not_read(typed: str) -> None:
    """Nor made to one: a letter that no code has is a mistake to tell the person about."""
    assert read_user_code(typed) is None


def test_a_code_is_shown_in_two_halves() -> None:
    assert show_user_code("WDJBMJHT") == "WDJB-MJHT"


def test_a_tag_says_nothing_without_the_key() -> None:
    """All 20^8 codes are tried in seconds; a plain digest would be the code itself."""
    assert tag_user_code(b"one key", "WDJBMJHT") != tag_user_code(b"another key", "WDJBMJHT")
    assert tag_user_code(b"one key", "WDJBMJHT") != tag_user_code(b"one key", "WDJBMJHB")
