"""One HTTPS exchange: limited in time and size, no redirects, certificates checked by the standard library.

Plain HTTP is only for loopback, and for an internal network if its owner allows it. The whole exchange, including the
name look-up, has one deadline. A socket's own time-out restarts with every byte and does not cover DNS, so the exchange
runs in a thread, which is abandoned if it is late.
"""

import base64
import http.client
import ipaddress
import queue
import re
import threading
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from email.utils import parsedate_to_datetime
from typing import IO
from urllib.parse import quote, urlsplit

from authserver import __version__
from authserver.protocol.secret import Secret

_OK, _NOT_MODIFIED = 200, 304
_MAX_AGE = re.compile(r"(?:^|[\s,])max-age=(\d{1,9})(?=$|[\s,])", re.IGNORECASE)
_AGE = re.compile(r"\d{1,9}\Z")


class FetchError(Exception):
    """There is no usable answer. The message says why, for the log. `status`: the HTTP status, if there was one."""

    def __init__(self, message: str, status: int | None = None) -> None:
        """Keep both."""
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer.

    Attributes:
        body: the content; empty if the requester's copy is still current (304).
        fresh_for: the remaining seconds for which the sender calls it fresh; None if not stated.
        age: the seconds that it has spent in caches on its way.
        etag: the entity tag for the next request, as in the header.
        modified: False for a 304.
        sent_at: its `Date`, in seconds since the epoch on the sender's clock; None if not stated.
    """

    body: bytes
    fresh_for: int | None
    age: int = 0
    etag: str | None = None
    modified: bool = True
    sent_at: float | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A request. `etag`: the tag of the copy that the requester has; `form`: a body, which makes it a POST."""

    url: str
    authorization: Secret | None = None
    etag: str | None = None
    form: bytes | None = None

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers of the request."""
        headers = {"Accept": "application/json", "User-Agent": f"authserver-verifier/{__version__}"}
        if self.authorization is not None:
            headers["Authorization"] = self.authorization.reveal()
        if self.etag is not None:
            headers["If-None-Match"] = self.etag
        return headers


def write_basic(client_id: str, client_secret: str) -> Secret:
    """The value of `Authorization` for these credentials (RFC 6749 §2.3.1)."""
    pair = f"{quote(client_id, safe='')}:{quote(client_secret, safe='')}"
    return Secret("Basic " + base64.b64encode(pair.encode("ascii")).decode("ascii"))


def check_url(url: str, *, allow_http: bool = False) -> str:
    """Return `url` if it is https, http to this machine, or with `allow_http` any http; otherwise `ValueError`."""
    parts = urlsplit(url)
    if not parts.hostname or parts.port == 0 or parts.username is not None or parts.fragment:
        raise ValueError("a URL needs a host, and neither credentials nor a fragment")
    if parts.scheme != "https" and not (parts.scheme == "http" and (allow_http or _is_loopback(parts.hostname))):
        raise ValueError("a URL must be https, or http on loopback")
    return url


def fetch(url: str, *, timeout: float, largest: int) -> Fetched:
    """Get the document at `url`, or `FetchError` after at most `timeout` seconds. `url` has passed `check_url`."""
    return exchange(Call(url), timeout=timeout, largest=largest)


def exchange(call: Call, *, timeout: float, largest: int) -> Fetched:
    """Get the answer to `call`, or `FetchError` after at most `timeout` seconds. Its URL has passed `check_url`."""
    # Looked up now, not at import: gevent replaces this class, perhaps after a fork.
    outcomes: queue.SimpleQueue[Fetched | FetchError] = queue.SimpleQueue()
    thread = threading.Thread(
        target=lambda: outcomes.put(_attempt(call, timeout, largest)), name="authserver-fetch", daemon=True
    )
    try:
        thread.start()
        outcome = outcomes.get(timeout=timeout)
    except (queue.Empty, RuntimeError):
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
        """Follow no redirect: keys come from the configured address only (ASVS 9.1.3)."""


def _attempt(call: Call, timeout: float, largest: int) -> Fetched | FetchError:
    request = urllib.request.Request(  # noqa: S310 - `check_url` has restricted the scheme
        call.url, call.form, dict(call.headers)
    )
    handlers: list[urllib.request.BaseHandler] = [_RefuseRedirects()]
    if urlsplit(call.url).scheme == "http":
        # Loopback means this machine, not the proxy's machine; and plain text must not leave the internal network.
        handlers.append(urllib.request.ProxyHandler({}))
    try:
        with urllib.request.build_opener(*handlers).open(request, timeout=timeout) as response:
            return _read(response, largest)
    except urllib.error.HTTPError as error:
        with error:
            if error.code == _NOT_MODIFIED and call.etag is not None:
                return _describe(b"", error.headers, modified=False)
            return FetchError(f"status {error.code}", error.code)
    except (OSError, ValueError, http.client.HTTPException) as error:
        return FetchError(f"{type(error).__name__}: {error}")


def _read(response: http.client.HTTPResponse, largest: int) -> Fetched | FetchError:
    if response.status != _OK:
        return FetchError(f"status {response.status}", response.status)
    body = response.read(largest + 1)
    if len(body) > largest:
        return FetchError(f"more than {largest} bytes")
    if response.length:  # a read with a limit cannot tell a truncated body from a complete one
        return FetchError("the body was cut off")
    return _describe(body, response.headers, modified=True)


def _describe(body: bytes, headers: Message, *, modified: bool) -> Fetched:
    """Convert an answer. `fresh_for` is `max-age` less the time that it has spent in caches (RFC 9111 §4.2)."""
    stated_age = headers.get("Age", "").strip()
    age = int(stated_age) if _AGE.match(stated_age) else 0
    max_age = _MAX_AGE.search(headers.get("Cache-Control", ""))
    fresh_for = None if max_age is None else max(0, int(max_age[1]) - age)
    return Fetched(body, fresh_for, age, headers.get("ETag"), modified, _read_date(headers.get("Date", "")))


def _read_date(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):
        return None
