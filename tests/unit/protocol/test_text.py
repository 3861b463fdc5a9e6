"""Which texts come in, and what becomes of labels."""

import pytest

from authserver.protocol.text import LONGEST_TEXT, clean_line, is_line, is_storable, normalise

NAMES = {
    "Persian, with a zero-width non-joiner": "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627",
    "Sinhala, with a zero-width joiner": "\u0dc1\u0dca\u200d\u0dbb\u0dd3 \u0dbd\u0d82\u0d9a\u0dcf",
    "a family": "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466",
    "a heart with its variation selector": "Ada \u2764\ufe0f",
    "the flag of Scotland, in tags": "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
    "a no-break space": "Jean\u00a0Paul",
    "Vietnamese, decomposed": "Nguye\u0302\u0303n",
    "Hebrew, with a mark of direction": "\u05d3\u05d5\u05d3\u200f",
    "apostrophe, hyphen, full stop": "O\u2019Brien-Smith Jr.",
    "none": "",
}
NOT_IN_NAMES = [
    "\0", "\n", "\r", "\t", "\x1b[2J", "\x7f", "\x85", "\u2028", "\u2029", "\u202a", "\u202e", "\u2066", "\u2069",
    "\ufff9", "\ud800",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES.keys())
def test_names_of_people_are_lines(name: str) -> None:
    assert is_line(name, 200)
    assert clean_line(name, 200) == name


@pytest.mark.parametrize("part", NOT_IN_NAMES, ids=ascii)
def test_controls_overrides_and_surrogates_are_not(part: str) -> None:
    assert not is_line(f"Ada{part}Lovelace", 200)
    cleaned = clean_line(f"Ada{part}Lovelace", 200)
    assert is_line(cleaned, 200)
    assert (cleaned.startswith("Ada "), cleaned.endswith("Lovelace")) == (True, True)


def test_a_label_that_is_too_long_is_cut_at_the_end_of_something() -> None:
    assert clean_line("a" * 70_000, 100) == "a" * 100
    assert clean_line("a" * 99 + "\u200d" + "b" * 5, 100) == "a" * 99
    assert clean_line("  two   spaces \n\n and lines ", 100) == "two spaces and lines"
    assert clean_line("\0\n", 100) == ""


def test_a_text_has_a_greatest_length_whatever_it_is_for() -> None:
    assert is_storable("a" * LONGEST_TEXT)
    assert not is_storable("a" * (LONGEST_TEXT + 1))
    assert not is_line("a" * 11, 10)


def test_what_nobody_has_measured_is_not_normalised() -> None:
    assert normalise("e\u0301") == "\u00e9"
    with pytest.raises(ValueError, match="nobody has measured"):
        normalise("\u0301\u0316" * 2100)
