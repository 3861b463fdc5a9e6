"""The true address of the client, when trusted proxies stand before the server (ASVS 15.3.4).

Only `X-Forwarded-For` is read, only from a peer that settings name, and from its end: each trusted proxy appends the
address that it saw, so the first one from the right that is not trusted is the client. Scheme and host are never taken
from a request; they come from ISSUER.

Each address has one spelling here, the one that is trusted, counted and recorded: an IPv4 address that
came over an IPv6 socket is an IPv4 address, and a port is none of it.
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
        """Believe the proxies in `trusted`, and nobody else."""
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
        """The last one who is known: what is no address (`unknown`, an obfuscated name, garbage) tells nothing more."""
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
    """The address in `text` as proxies write it (with a port, in brackets, quoted, with a zone), in its one spelling.

    None where there is none.
    """
    return _read_short(text) if len(text) <= _LONGEST else None


@lru_cache(maxsize=_MOST_REMEMBERED)  # the same few proxies and clients, at each of their requests
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
