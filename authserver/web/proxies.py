"""The true address of the client, when trusted proxies stand before the server (ASVS 15.3.4).

Only `X-Forwarded-For` is read, only from a peer that settings name, and from its end: each trusted proxy appends the
address that it saw, so the first one from the right that is not trusted is the client. Scheme and host are never taken
from a request; they come from ISSUER.
"""

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class TrustedProxies:
    """Sets `REMOTE_ADDR` to the client's address."""

    def __init__(self, app: "WSGIApplication", trusted: tuple[IPv4Network | IPv6Network, ...]) -> None:
        """Believe the proxies in `trusted`, and nobody else."""
        self._app = app
        self._trusted = trusted

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request."""
        if self._trusted:
            forwarded = environ.get("HTTP_X_FORWARDED_FOR", "").split(",")
            environ["REMOTE_ADDR"] = self._find_client(environ.get("REMOTE_ADDR", ""), forwarded)
        return self._app(environ, start_response)

    def _find_client(self, peer: str, forwarded: list[str]) -> str:
        client = peer
        for hop in reversed(forwarded):
            if not self._is_trusted(client) or not hop.strip():
                break
            client = hop.strip()
        return client

    def _is_trusted(self, address: str) -> bool:
        try:
            return any(ip_address(address) in network for network in self._trusted)
        except ValueError:
            return False
