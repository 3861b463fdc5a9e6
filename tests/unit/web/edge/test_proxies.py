"""Whose word about a client's address counts."""

from ipaddress import ip_network
from typing import Any

import pytest

from authserver.web.edge.proxies import TrustedProxies

TRUSTED = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


def seen_address(peer: str, forwarded: str | None, trusted: tuple[Any, ...] = TRUSTED) -> str:
    """What the application takes for the client's address."""
    seen: list[str] = []

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:  # noqa: ANN401
        del start_response
        seen.append(environ["REMOTE_ADDR"])
        return []

    environ = {"REMOTE_ADDR": peer}
    if forwarded is not None:
        environ["HTTP_X_FORWARDED_FOR"] = forwarded
    TrustedProxies(application, trusted)(environ, lambda *_: lambda _: None)
    return seen[0]


@pytest.mark.parametrize("forwarded", [None, "", "198.51.100.1", "10.0.0.1", "198.51.100.1, 10.0.0.1"])
def test_a_stranger_cannot_say_who_he_is(forwarded: str | None) -> None:
    """ASVS 15.3.4, RFC 9700 §4.13: a header that no trusted proxy has written says nothing."""
    assert seen_address("203.0.113.9", forwarded) == "203.0.113.9"


def test_without_trusted_proxies_nobody_is_believed() -> None:
    assert seen_address("10.0.0.1", "198.51.100.1", trusted=()) == "10.0.0.1"


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        ("198.51.100.1", "198.51.100.1"),
        ("198.51.100.1, 10.0.0.2", "198.51.100.1"),
        ("made up by the client, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.3, 198.51.100.1, fd00::1", "198.51.100.1"),
        ("", "10.0.0.1"),
        (", 10.0.0.2", "10.0.0.2"),
    ],
)
def test_of_what_proxies_appended_the_last_stranger_is_the_client(forwarded: str, client: str) -> None:
    """ASVS 15.3.4: what stands before him, he has written himself."""
    assert seen_address("10.0.0.1", forwarded) == client


SPELLINGS = {
    "198.51.100.1:4711": "198.51.100.1",
    " 198.51.100.1 ": "198.51.100.1",
    "[2001:db8::7]": "2001:db8::7",
    "[2001:db8::7]:4711": "2001:db8::7",
    '"[2001:db8::7]:4711"': "2001:db8::7",
    "2001:DB8:0:0:0:0:0:7": "2001:db8::7",
    "::ffff:198.51.100.1": "198.51.100.1",
    "[::ffff:c633:6401]:80": "198.51.100.1",
    "fe80::1%eth0": "fe80::1",
}


@pytest.mark.parametrize(("spelling", "address"), SPELLINGS.items())
def test_one_address_has_one_spelling(spelling: str, address: str) -> None:
    """Or it would be trusted, counted and recorded as several."""
    assert seen_address("10.0.0.1", spelling) == address
    assert seen_address("10.0.0.1", f"{spelling}, 10.0.0.2:443, [fd00::1]:80") == address
    if ":4711" not in spelling and "[" not in spelling:
        assert seen_address(spelling, None, trusted=()) == address


def test_a_proxy_that_comes_over_an_ipv6_socket_is_trusted() -> None:
    assert seen_address("::ffff:10.0.0.1", "198.51.100.1") == "198.51.100.1"
    assert seen_address("::ffff:203.0.113.9", "198.51.100.1") == "203.0.113.9"


@pytest.mark.parametrize(
    "garbage",
    [
        "unknown", "_hidden", "for=198.51.100.1", "198.51.100.1.evil", "198.51.100.256", "1.2.3", "0x7f.1", "::1::",
        "198.51.100.1:x", "198.51.100.1 198.51.100.2", "[198.51.100.1", "\u0661\u0669\u0668.51.100.1", "-", "%",
        "1" * 5000,
    ],
)  # fmt: skip
def test_what_is_no_address_is_nobody(garbage: str) -> None:
    """Then the last one who is known is the client: the proxy that sent it."""
    assert seen_address("10.0.0.1", garbage) == "10.0.0.1"
    assert seen_address("10.0.0.1", f"198.51.100.1, {garbage}") == "10.0.0.1"
