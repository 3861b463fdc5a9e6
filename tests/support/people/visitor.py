"""A browser without scripts, for several servers on loopback: keeps cookies, follows redirects, fills in forms."""

import ssl
from http.cookies import SimpleCookie
from typing import Self
from urllib.parse import urlencode, urljoin, urlsplit

from tests.support.people.pages import Form
from tests.support.wire.http import Answer, HttpClient


class Visitor:
    """A browser that shows `page` from `url`; `received` is everything that it got from any server.

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
        """Load `url` and follow redirects, up to one that leads to `until` or off this machine."""
        return self._load("GET", url, b"", until)

    def send(self, having: str = "", *, until: str = "", **typed: str) -> Answer:
        """Send the form of the page (with the field `having`, if there are several), and follow redirects."""
        form = Form(self.page.body.decode(), having)
        fields = urlencode({**form.values, **typed}).encode()
        return self._load(form.method.upper(), urljoin(self.url, form.action), fields, until)

    @property
    def target(self) -> str:
        """The redirect target of the last answer."""
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
