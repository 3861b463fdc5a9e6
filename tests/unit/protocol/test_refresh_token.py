"""The refresh-token string."""

import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authserver.protocol.refresh_token import (
    FAMILY_ID_BYTES,
    Malformed,
    RefreshToken,
    UnknownMacKey,
    format_refresh_token,
    parse_refresh_token,
)

KEY = b"k" * 32
TOKEN = RefreshToken("0a0b0c0d", b"family-id-of-16b", 7)
TEXT = format_refresh_token(TOKEN, KEY)
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

tokens = st.builds(
    RefreshToken,
    st.binary(min_size=4, max_size=4).map(bytes.hex),
    st.binary(min_size=16, max_size=16),
    st.integers(0, 2**32 - 1),
)


@given(tokens, st.binary(min_size=32, max_size=32))
def test_format_and_parse_are_inverse(token: RefreshToken, key: bytes) -> None:
    assert parse_refresh_token(format_refresh_token(token, key), lambda _: key) == token


@given(st.integers(3, len(TEXT) - 1), st.sampled_from(ALPHABET))
def test_any_changed_character_is_malformed(position: int, character: str) -> None:
    """Also in the key id, where it would otherwise look like a key that this node does not know yet."""
    changed = TEXT[:position] + character + TEXT[position + 1 :]
    expected = TOKEN if changed == TEXT else Malformed()
    assert parse_refresh_token(changed, {TOKEN.mac_kid: KEY}.get) == expected


@given(st.text(max_size=200))
def test_any_other_text_is_malformed(text: str) -> None:
    assert parse_refresh_token(text, lambda _: KEY) == Malformed()


@pytest.mark.parametrize(
    "text", ["", "rt_", TEXT[:-1], TEXT + "A", TEXT + "=", " " + TEXT, TEXT.upper(), "\ud800" * 71]
)
def test_other_spellings_are_malformed(text: str) -> None:
    assert parse_refresh_token(text, lambda _: KEY) == Malformed()


def test_a_key_that_this_node_does_not_know_is_neither_believed_nor_refused() -> None:
    assert parse_refresh_token(TEXT, lambda _: None) == UnknownMacKey(TOKEN.mac_kid)


def test_another_key_proves_nothing() -> None:
    assert parse_refresh_token(TEXT, lambda _: b"x" * 32) == Malformed()


def test_the_tag_has_at_least_160_bits() -> None:
    """OAuth 2.1 §7.x: the chance to guess a token is at most 2^-160."""
    assert (len(TEXT) - 3) * 6 // 8 - 25 - 4 >= 20


def test_a_hundred_thousand_tokens_differ() -> None:
    """ASVS 7.2.3: each names a family by 128 bits that a cryptographic generator drew."""
    assert FAMILY_ID_BYTES * 8 >= 128
    families = [secrets.token_bytes(FAMILY_ID_BYTES) for _ in range(100_000)]
    assert len({format_refresh_token(RefreshToken(TOKEN.mac_kid, family, 1), KEY) for family in families}) == 100_000
