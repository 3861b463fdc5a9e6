"""The true address of the client behind trusted proxies (ASVS 15.3.4).

Only `X-Forwarded-For` is read, only if the settings name the peer, and from right to left. Each trusted proxy appends
the address that it saw, so the first untrusted address from the right is the client. Scheme and host are never taken
from a request; they come from ISSUER.

An address has one spelling, by which it is trusted, counted and recorded. An IPv4 address from an IPv6 socket is
written as IPv4, and a port is dropped.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_LONGEST: Final = 64
_MOST_REMEMBERED: Final = 4096
_HOP = re.compile(
    r"\"?(?:\[(?P<bracketed>[0-9A-Fa-f:.]+)\](?::[0-9]{1,5})?"
    r"|(?P<v4>[0-9.]+)(?::[0-9]{1,5})?"
    r"|(?P<v6>[0-9A-Fa-f:.]+))(?:%[A-Za-z0-9._-]+)?\"?\Z"
)


class TrustedProxies:
    """Sets `REMOTE_ADDR` to the client's address."""

    def __init__(self, app: "WSGIApplication", trusted: tuple[IPv4Network | IPv6Network, ...]) -> None:
        """Believe `X-Forwarded-For` only from proxies in `trusted`."""
        self._app = app
        self._trusted = trusted

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request."""
        peer = environ.get("REMOTE_ADDR", "")
        client = read_address(peer) or peer
        if self._trusted:
            client = self._find_client(client, environ.get("HTTP_X_FORWARDED_FOR", "").split(","))
        environ["REMOTE_ADDR"] = client
        return self._app(environ, start_response)

    def _find_client(self, peer: str, forwarded: list[str]) -> str:
        """The last known address: anything else (`unknown`, an obfuscated name, garbage) ends the search."""
        client = peer
        for hop in reversed(forwarded):
            address = read_address(hop) if self._is_trusted(client) else None
            if address is None:
                break
            client = address
        return client

    def _is_trusted(self, address: str) -> bool:
        try:
            return any(ip_address(address) in network for network in self._trusted)
        except ValueError:
            return False


def read_address(text: str) -> str | None:
    """Read the address in `text`, in the canonical spelling; None if there is none.

    Proxies write addresses with a port, in brackets, in quotes, or with a zone.
    """
    return _read_short(text) if len(text) <= _LONGEST else None


@lru_cache(maxsize=_MOST_REMEMBERED)  # each request comes from one of the same few proxies and clients
def _read_short(text: str) -> str | None:
    parts = _HOP.match(text.strip())
    if parts is None:
        return None
    try:
        address = ip_address(parts["bracketed"] or parts["v4"] or parts["v6"])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)
