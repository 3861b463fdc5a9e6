"""One call: resolve, check, connect to what was checked, exchange, within one deadline."""

import http.client
import queue
import socket
import ssl
import threading
from collections.abc import Callable, Collection, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final, final
from urllib.parse import SplitResult

from authserver import __version__
from authserver.outbound.reach import check_url, is_public

AT_ONCE: Final = 16
"""Calls under way in one process. A call that is abandoned counts until its thread has ended."""

TIMEOUT: Final = 5.0
"""Seconds for a whole call, including the name look-up."""

_PORTS: Final = {"https": 443, "http": 80}

Resolve = Callable[[str, int], Collection[str]]
"""Host and port → addresses. Raises OSError."""


class OutboundError(Exception):
    """There is no answer. The message says why, for the log; it contains nothing that the other side sent."""


@dataclass(frozen=True, slots=True)
class OutboundAnswer:
    """An answer with whatever status it has.

    Attributes:
        headers: name in lower case → value. Of a header that came several times, the first.
        body: the whole content, at most as long as the caller allowed.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


def resolve(host: str, port: int) -> tuple[str, ...]:
    """All addresses of `host` in the order of the system's resolver."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


@final
class Outbound:
    """Calls URLs that others chose, and never the server's own network.

    Args:
        private_hosts: the hosts that the operator allows to be in a private network.
        timeout: seconds for a whole call.
        resolve: looks a name up.
    """

    __slots__ = ("_context", "_free", "_private_hosts", "_resolve", "_timeout")

    def __init__(
        self, private_hosts: Collection[str] = (), *, timeout: float = TIMEOUT, resolve: Resolve = resolve
    ) -> None:
        """Prepare; connect to nothing yet. The trusted authorities are the system's, or those in SSL_CERT_FILE."""
        self._private_hosts = frozenset(private_hosts)
        self._timeout = timeout
        self._resolve = resolve
        self._context = ssl.create_default_context()
        self._free = threading.BoundedSemaphore(AT_ONCE)

    def check_url(self, url: str) -> None:
        """Check a URL that a client brings, before it is stored: `ValueError` says what is wrong with it."""
        check_url(url, self._private_hosts)

    def get(self, url: str, *, accept: str, limit: int) -> OutboundAnswer:
        """Get what is at `url`.

        Args:
            url: what a client registered; see `check_url`.
            accept: the media type to ask for.
            limit: the greatest length of the body, in bytes.

        Raises:
            OutboundError: not allowed, not reachable, not answered in time, or the answer is too long.
        """
        return self._call(url, "GET", {"Accept": accept}, None, limit)

    def post(self, url: str, *, content_type: str, body: bytes, limit: int) -> OutboundAnswer:
        """Post `body` to `url`. Raises `OutboundError` as `get` does; the other side may have read the body then."""
        return self._call(url, "POST", {"Accept": "*/*", "Content-Type": content_type}, body, limit)

    def _call(
        self, url: str, method: str, headers: Mapping[str, str], body: bytes | None, limit: int
    ) -> OutboundAnswer:
        try:
            parts = check_url(url, self._private_hosts)
        except ValueError as error:
            raise OutboundError(f"the URL {error}") from None
        if not self._free.acquire(blocking=False):
            raise OutboundError(f"{AT_ONCE} calls are under way")
        exchange = _Exchange(self._resolve, self._context, self._private_hosts, self._timeout)
        # Looked up now, not at import: gevent replaces this class, perhaps after a fork.
        outcomes: queue.SimpleQueue[OutboundAnswer | OutboundError] = queue.SimpleQueue()

        def run() -> None:
            try:
                outcomes.put(exchange.attempt(parts, method, headers, body, limit))
            finally:
                self._free.release()

        thread = threading.Thread(target=run, name="authserver-outbound", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            self._free.release()
            raise OutboundError("no thread could be started") from None
        try:
            outcome = outcomes.get(timeout=self._timeout)
        except queue.Empty:
            exchange.abandon()
            raise OutboundError(f"no complete answer within {self._timeout:g} s") from None
        if isinstance(outcome, OutboundError):
            raise outcome
        return outcome


class _Exchange:
    """What a thread does for one call. `abandon` closes its socket, so that a slow server cannot keep the thread."""

    def __init__(
        self, resolve: Resolve, context: ssl.SSLContext, private_hosts: frozenset[str], timeout: float
    ) -> None:
        self._resolve = resolve
        self._context = context
        self._private_hosts = private_hosts
        self._timeout = timeout
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._abandoned = False

    def abandon(self) -> None:
        with self._lock:
            self._abandoned = True
            if self._socket is not None:
                with suppress(OSError):
                    self._socket.shutdown(socket.SHUT_RDWR)

    def attempt(
        self, parts: SplitResult, method: str, headers: Mapping[str, str], body: bytes | None, limit: int
    ) -> OutboundAnswer | OutboundError:
        try:
            with closing(self._connect(parts)) as connection:
                target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
                connection.request(method, target, body, {**_describe_caller(parts), **headers})
                with connection.getresponse() as response:
                    return _read(response, limit)
        except OutboundError as error:
            return error
        except (OSError, ValueError, http.client.HTTPException) as error:
            # Only the kind: the text of some errors repeats what the other side sent.
            return OutboundError(f"no usable answer ({type(error).__name__})")
        finally:
            if self._socket is not None:
                self._socket.close()

    def _connect(self, parts: SplitResult) -> "_Connection":
        host = parts.hostname or ""
        port = parts.port or _PORTS[parts.scheme]
        addresses = self._resolve(host, port)
        if host not in self._private_hosts and not all(is_public(ip_address(address)) for address in addresses):
            raise OutboundError("the host is in a private network")
        failure = "no address"
        for address in addresses:
            try:
                return _Connection(host, port, self._open(parts.scheme, host, (address, port)))
            except OSError as error:
                failure = type(error).__name__
        raise OutboundError(f"the host cannot be reached ({failure})")

    def _open(self, scheme: str, host: str, address: tuple[str, int]) -> socket.socket:
        plain = socket.create_connection(address, self._timeout)
        self._hold(plain)
        return self._context.wrap_socket(plain, server_hostname=host) if scheme == "https" else plain

    def _hold(self, opened: socket.socket) -> None:
        with self._lock:
            if self._abandoned:
                opened.close()
                raise OutboundError("abandoned")
            if self._socket is not None:
                self._socket.close()
            # A duplicate: the TLS layer takes the descriptor away from the socket that it wraps.
            self._socket = opened.dup()


class _Connection(http.client.HTTPConnection):
    """A connection that exists already, to the address that was checked, and is never opened again."""

    auto_open = 0

    def __init__(self, host: str, port: int, opened: socket.socket) -> None:
        super().__init__(host, port)
        self.sock = opened


def _describe_caller(parts: SplitResult) -> dict[str, str]:
    standard = parts.port is None or parts.port == _PORTS[parts.scheme]
    return {
        "Host": parts.netloc.rpartition(":")[0] if standard and parts.port else parts.netloc,
        "User-Agent": f"authserver/{__version__}",
        "Accept-Encoding": "identity",
        "Connection": "close",
    }


def _read(response: http.client.HTTPResponse, limit: int) -> OutboundAnswer | OutboundError:
    if response.getheader("Content-Encoding", "identity").lower() != "identity":
        return OutboundError("the answer is compressed, although none was asked for")
    body = response.read(limit + 1)
    if len(body) > limit:
        return OutboundError(f"the answer is longer than {limit} bytes")
    if response.length:  # a read with a limit cannot tell a truncated body from a complete one
        return OutboundError("the answer was cut off")
    headers: dict[str, str] = {}
    for name, value in response.getheaders():
        headers.setdefault(name.lower(), value)
    return OutboundAnswer(response.status, headers, body)
