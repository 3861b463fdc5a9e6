"""The token of a mailed link: read again as it was written, and refused with any character changed."""

import string

import pytest

from authserver.protocol.link_token import LINK_ID_BYTES, LinkToken, format_link_token, parse_link_token
from authserver.protocol.proven_text import Malformed, ProvenText, UnknownMacKey

KEY = bytes(range(32))
LINK = LinkToken("0a1b2c3d", bytes(range(LINK_ID_BYTES)))
TEXT = format_link_token(LINK, KEY)


def test_a_token_is_read_as_it_was_written() -> None:
    assert parse_link_token(TEXT, {LINK.mac_kid: KEY}.get) == LINK


def test_every_copy_is_the_same_text() -> None:
    assert format_link_token(LINK, KEY) == TEXT


@pytest.mark.parametrize("place", range(len(TEXT)))
def test_a_changed_character_is_refused(place: int) -> None:
    for character in set(string.ascii_letters + string.digits + "-_") - {TEXT[place]}:
        assert parse_link_token(TEXT[:place] + character + TEXT[place + 1 :], lambda _: KEY) == Malformed()


def test_a_token_of_another_key_is_refused() -> None:
    assert parse_link_token(TEXT, lambda _: bytes(32)) == Malformed()


def test_an_unknown_key_is_no_proof_of_forgery() -> None:
    assert parse_link_token(TEXT, lambda _: None) == UnknownMacKey(LINK.mac_kid)


@pytest.mark.parametrize(
    "text", ["", "lt_", TEXT + "A", TEXT[:-1], TEXT.replace("lt_", "rt_"), "\N{SNOWMAN}" * len(TEXT)]
)
def test_what_is_no_token_is_refused(text: str) -> None:
    assert parse_link_token(text, lambda _: KEY) == Malformed()


def test_a_kind_that_could_not_be_read_again_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="49 bytes"):
        ProvenText("xx_", b"", 18)
