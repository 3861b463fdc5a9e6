"""Which texts may come in."""

import pytest

from authserver.protocol.text import is_storable


@pytest.mark.parametrize("text", ["", "plain", "\x01\n", "žluťoučký \U0001f40e", "\ud7ff\ue000", "\U0010ffff"])
def test_text_may_come_in(text: str) -> None:
    assert is_storable(text)


@pytest.mark.parametrize("text", ["\0", "a\0b", "\ud800", "x\udbff", "\udc00y", "z\udfff"])
def test_nul_and_lone_surrogates_may_not(text: str) -> None:
    assert not is_storable(text)
