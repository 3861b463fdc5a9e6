"""The token of a known device: what it says comes back, and no changed character passes."""

import pytest

from authserver.protocol.device_token import DeviceToken, format_device_token, parse_device_token

KEY = b"k" * 32
KID = "01020304"
TOKEN = DeviceToken(expires_at=1_800_000_000, credential_version=2**40, user_digest=b"u" * 12, device=b"d" * 14)
TEXT = format_device_token(TOKEN, KID, KEY)


def _find(kid: str) -> bytes | None:
    return KEY if kid == KID else None


def test_what_it_says_comes_back() -> None:
    assert parse_device_token(TEXT, _find) == TOKEN


@pytest.mark.parametrize("place", range(len(TEXT)))
def test_no_changed_character_passes(place: int) -> None:
    other = "A" if TEXT[place] != "A" else "B"
    assert parse_device_token(TEXT[:place] + other + TEXT[place + 1 :], _find) is None


def test_a_key_that_has_ended_proves_nothing() -> None:
    assert parse_device_token(TEXT, lambda _: None) is None
