"""The operator's words for scopes: what is shown, and what keeps the server from starting."""

import pytest

from authserver.records.scope_texts import read_scope_texts


def test_a_text_counts_for_every_language_that_has_none_of_its_own() -> None:
    texts = read_scope_texts({"read": " See it ", "albums:write": {"en": "Change albums", "de": "Alben ändern"}})
    assert texts == {"read": {"en": "See it"}, "albums:write": {"en": "Change albums", "de": "Alben ändern"}}
    assert list(texts) == ["read", "albums:write"]


@pytest.mark.parametrize(
    "table",
    [
        "read",
        ["read"],
        {"two words": "x"},
        {'"': "x"},
        {"": "x"},
        {"x" * 201: "x"},
        {"read": None},
        {"read": ["x"]},
        {"read": {"de": "ohne Englisch"}},
        {"read": {"en": "x", "EN": "x"}},
        {"read": {"en": "x", 1: "x"}},
        {"read": ""},
        {"read": "x" * 121},
        {"read": "two\nlines"},
        {"read": "\u202eback to front"},
        {f"scope{number}": "x" for number in range(101)},
    ],
)
def test_what_cannot_be_shown_is_refused_in_one_line(table: object) -> None:
    with pytest.raises(
        ValueError, match=r"^(must (be a table|have a text in)|each text must have 1 to 120)"
    ) as refused:
        read_scope_texts(table)
    assert "\n" not in str(refused.value)
