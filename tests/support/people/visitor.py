"""A person's browser without scripts, among several servers on loopback: it keeps cookies, follows, fills in forms."""

import ssl
from http.cookies import SimpleCookie
from typing import Self
from urllib.parse import urlencode, urljoin, urlsplit

from tests.support.people.pages import Form
from tests.support.wire.http import Answer, HttpClient


class Visitor:
    """`url` and `page` are what it shows, `received` is everything that any server ever gave it.

    Cookies go to every port, as in real browsers (RFC 6265 §8.5).
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        """Begin without cookies. With `tls` it also goes to https://localhost."""
        self._tls = tls
        self.url = ""
        self.page = Answer(204, {}, b"")
        self.received: list[Answer] = []
        self._clients: dict[int, HttpClient] = {}
        self._cookies: dict[str, str] = {}

    def __enter__(self) -> Self:
        """Use it in a block that closes its connections."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close all connections."""
        self.close()

    def close(self) -> None:
        """Close all connections; the next request opens another one."""
        for client in self._clients.values():
            client.close()

    def visit(self, url: str, *, until: str = "") -> Answer:
        """Load `url` and go where it leads. The answer that sends it to `until`, or off this machine, is the last."""
        return self._load("GET", url, b"", until)

    def send(self, having: str = "", *, until: str = "", **typed: str) -> Answer:
        """Fill in the form of the page, or the one of several that has the field `having`, and go where it leads."""
        form = Form(self.page.body.decode(), having)
        fields = urlencode({**form.values, **typed}).encode()
        return self._load(form.method.upper(), urljoin(self.url, form.action), fields, until)

    @property
    def target(self) -> str:
        """Where the last answer would send it."""
        return urljoin(self.url, self.page.headers["location"])

    def _load(self, method: str, url: str, body: bytes, until: str) -> Answer:
        self._ask(method, url, body)
        while "location" in self.page.headers:
            if not self._is_here(self.target) or (until and self.target.startswith(until)):
                break
            self._ask("GET", self.target, b"")
        return self.page

    def _is_here(self, url: str) -> bool:
        parts = urlsplit(url)
        return (parts.scheme, parts.hostname) in {("http", "127.0.0.1"), ("https", self._tls and "localhost")}

    def _ask(self, method: str, url: str, body: bytes) -> None:
        parts, came_from = urlsplit(url), urlsplit(self.url)
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())}
        if method == "POST":
            origin = f"{came_from.scheme}://{came_from.netloc}"
            headers |= {"Content-Type": "application/x-www-form-urlencoded", "Origin": origin}
        assert parts.port is not None, url
        tls = self._tls if parts.scheme == "https" else None
        client = self._clients.setdefault(parts.port, HttpClient(parts.port, tls))
        self.page = client.request(method, f"{parts.path}?{parts.query}".rstrip("?"), body, headers)
        self.url = url
        self.received.append(self.page)
        self._keep_cookies()

    def _keep_cookies(self) -> None:
        for name, morsel in (item for given in self.page.cookies for item in SimpleCookie(given).items()):
            self._cookies[name] = morsel.value
            if morsel["max-age"] == "0" or not morsel.value:
                del self._cookies[name]
