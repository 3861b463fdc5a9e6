"""One small document over HTTPS: bounded in time and size, no redirects, certificates checked by the standard library.

Plain HTTP is for loopback only. The whole exchange, name look-up included, has one deadline: a socket's own time-out
starts anew with every byte and does not cover DNS, so the exchange runs in a thread that is left behind if it is late.
"""

import http.client
import ipaddress
import re
import threading
import urllib.error
import urllib.request
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import IO
from urllib.parse import urlsplit

from authserver import __version__

_OK = 200
_MAX_AGE = re.compile(r"(?:^|[\s,])max-age=(\d{1,9})(?=$|[\s,])", re.IGNORECASE)
_AGE = re.compile(r"\d{1,9}\Z")


class FetchError(Exception):
    """No usable answer; the message says why, for the log."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A body, and for how many more seconds its sender calls it fresh (None: not said)."""

    body: bytes
    fresh_for: int | None


def check_url(url: str) -> str:
    """`url` itself, if it is https, or http to this machine; `ValueError` otherwise."""
    parts = urlsplit(url)
    if not parts.hostname or parts.port == 0 or parts.username is not None or parts.fragment:
        raise ValueError("a URL needs a host, and neither credentials nor a fragment")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(parts.hostname)):
        raise ValueError("a URL must be https, or http on loopback")
    return url


def fetch(url: str, *, timeout: float, largest: int) -> Fetched:
    """The document at `url`, or `FetchError` after at most `timeout` seconds. `url` has passed `check_url`."""
    outcomes: SimpleQueue[Fetched | FetchError] = SimpleQueue()
    thread = threading.Thread(
        target=lambda: outcomes.put(_attempt(url, timeout, largest)), name="authserver-fetch", daemon=True
    )
    try:
        thread.start()
        outcome = outcomes.get(timeout=timeout)
    except (Empty, RuntimeError):
        raise FetchError(f"no complete answer within {timeout} s") from None
    if isinstance(outcome, FetchError):
        raise outcome
    return outcome


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class _RefuseRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> None:
        """Follow nothing: keys come from the configured place only (ASVS 9.1.3)."""


def _attempt(url: str, timeout: float, largest: int) -> Fetched | FetchError:
    request = urllib.request.Request(  # noqa: S310 - `check_url` has restricted the scheme
        url, headers={"Accept": "application/json", "User-Agent": f"authserver-verifier/{__version__}"}
    )
    handlers: list[urllib.request.BaseHandler] = [_RefuseRedirects()]
    if urlsplit(url).scheme == "http":
        handlers.append(urllib.request.ProxyHandler({}))  # loopback means this machine, not the proxy's
    try:
        with urllib.request.build_opener(*handlers).open(request, timeout=timeout) as response:
            return _read(response, largest)
    except urllib.error.HTTPError as error:
        with error:
            return FetchError(f"status {error.code}")
    except (OSError, ValueError, http.client.HTTPException) as error:
        return FetchError(f"{type(error).__name__}: {error}")


def _read(response: http.client.HTTPResponse, largest: int) -> Fetched | FetchError:
    if response.status != _OK:
        return FetchError(f"status {response.status}")
    body = response.read(largest + 1)
    if len(body) > largest:
        return FetchError(f"more than {largest} bytes")
    if response.length:  # a read with a limit does not tell a short body from a whole one
        return FetchError("the body was cut off")
    return Fetched(body, _read_freshness(response.headers))


def _read_freshness(headers: http.client.HTTPMessage) -> int | None:
    """`max-age` less the time that the answer has spent in caches on its way (RFC 9111 §4.2)."""
    stated = _MAX_AGE.search(headers.get("Cache-Control", ""))
    if stated is None:
        return None
    age = headers.get("Age", "").strip()
    return max(0, int(stated[1]) - (int(age) if _AGE.match(age) else 0))
