"""The URL that a proof names, and the nonces that it may need (RFC 9449 §4.3, §8)."""

import pytest

from authserver.protocol.dpop_nonce import NONCE_LIFETIME, read_nonce, write_nonce
from authserver.protocol.dpop_request import DpopRequest

URL = "https://api.example/a/b%20c"
KEYS = {"00000001": b"k" * 32, "00000002": b"l" * 32}

SAME = (
    *("https://api.example/a/b%20c?x=1", "https://api.example/a/b%20c#x", "https://api.example/a/b%20c?"),
    *("HTTPS://API.EXAMPLE/a/b%20c", "https://api.example:443/a/b%20c", "https://api.example:/a/b%20c"),
    *("https://api.example/a/./x/../b%20c", "https://api.example/%61/b%20c", "https://api.example/a/b%20%63"),
)
OTHER = (
    *("", "x", "/a/b%20c", "//api.example/a/b%20c", "https:/api.example/a/b%20c", "https:///a/b%20c"),
    *("http://api.example/a/b%20c", "https://api.example:8443/a/b%20c", "https://api.example.evil/a/b%20c"),
    *("https://api.example/a/b%20c/", "https://api.example/a/b", "https://api.example/A/b%20c", "https://api.example"),
    *("https://u@api.example/a/b%20c", "https://api.example/a/b c", "https://api.example/a/b%2", "ftp://api.example/a"),
    *("https://api.example\\a\\b%20c", "https://api.example/a/b%20c\n", "https://[::1/a", "https://api.example:x/a"),
    f"{URL}?{'x' * 2048}",
)


@pytest.mark.parametrize("htu", SAME)
def test_spellings_of_one_url_are_equal(htu: str) -> None:
    """RFC 9449 §4.3, check 9; RFC 3986 §6.2.2, §6.2.3."""
    assert DpopRequest("GET", URL).is_target(htu)


@pytest.mark.parametrize("htu", OTHER)
def test_another_url_is_another_url(htu: str) -> None:
    """RFC 9449 §4.3, check 9."""
    assert not DpopRequest("GET", URL).is_target(htu)


def test_the_root_has_two_spellings() -> None:
    assert DpopRequest("GET", "https://api.example").is_target("https://api.example/")
    assert DpopRequest("GET", "http://[::1]:80/").is_target("http://[::1]")


def test_a_request_without_a_good_url_is_no_target() -> None:
    assert not DpopRequest("GET", "no url").is_target("another")


def test_a_nonce_is_the_same_everywhere_and_lasts_some_minutes() -> None:
    """RFC 9449 §8; also when the MAC key has rotated meanwhile. 30 s for the clocks of two nodes."""
    nonce = write_nonce(1_000_019.9, "00000001", KEYS["00000001"])
    assert nonce == write_nonce(999_990, "00000001", KEYS["00000001"])
    assert nonce != write_nonce(1_000_020, "00000001", KEYS["00000001"])
    assert nonce != write_nonce(1_000_000, "00000002", KEYS["00000002"])
    for now in (999_960, 999_990 + NONCE_LIFETIME - 0.1):
        assert read_nonce(nonce, now, 30, KEYS.get) == 999_990
    for now in (999_959, 999_990 + NONCE_LIFETIME):
        assert read_nonce(nonce, now, 30, KEYS.get) is None


def test_a_nonce_of_somebody_else_is_none() -> None:
    """RFC 9449 §8: unpredictable."""
    nonce = write_nonce(999_990, "00000001", b"x" * 32)
    for text in (nonce, nonce[:-1], "", "x" * len(nonce), write_nonce(999_990, "00000003", b"k" * 32)):
        assert read_nonce(text, 1_000_000, 30, KEYS.get) is None
