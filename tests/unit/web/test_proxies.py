"""Whose word about a client's address counts."""

from ipaddress import ip_network
from typing import Any

import pytest

from authserver.web.proxies import TrustedProxies

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
