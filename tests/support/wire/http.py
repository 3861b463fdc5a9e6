"""A minimal HTTP client: one keep-alive connection, and no status is an error."""

import http.client
import json
import select
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self
from urllib.parse import urlencode

from tests.support.world.processes import PATIENCE

IDLE_SECONDS: Final = 4.0
"""Seconds after which an idle connection is not reused: less than the server's 10 s."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer. Header names are in lower case; `cookies` are all `Set-Cookie` headers, unchanged."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    cookies: tuple[str, ...] = ()

    @property
    def json(self) -> dict[str, Any]:
        members: dict[str, Any] = json.loads(self.body)
        return members


class HttpClient:
    """One keep-alive connection to a port on loopback. Not for several threads.

    Raises only `ConnectionError` if the connection breaks before the answer is complete, and `TimeoutError` if no
    answer arrives; a refusal is an answer. It never repeats a request.
    """

    def __init__(self, port: int, tls: ssl.SSLContext | None = None) -> None:
        """Connect with the first request; with `tls`, to a server whose certificate is for localhost."""
        self._connection = (
            http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
            if tls is None
            else http.client.HTTPSConnection("localhost", port, timeout=PATIENCE, context=tls)
        )
        self._used_at = time.monotonic()

    def __enter__(self) -> Self:
        """Use it in a block that closes it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connection."""
        self.close()

    def close(self) -> None:
        """Close the connection; the next request opens another one."""
        self._connection.close()

    def get(self, path: str, *, bearer: str | None = None) -> Answer:
        return self.request("GET", path, b"", _authorization(bearer))

    def delete(self, path: str, *, bearer: str | None = None) -> Answer:
        return self.request("DELETE", path, b"", _authorization(bearer))

    def post_json(self, path: str, *, bearer: str | None = None, **members: object) -> Answer:
        headers = {"Content-Type": "application/json", **_authorization(bearer)}
        return self.request("POST", path, json.dumps(members).encode(), headers)

    def post_form(self, path: str, **parameters: str) -> Answer:
        return self.request("POST", path, *_form(parameters))

    def request(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send a request and read its answer."""
        self._renew()
        try:
            self._connection.request(method, path, body or None, dict(headers))
            response = self._connection.getresponse()
            content = response.read()
        except (ConnectionError, http.client.HTTPException) as broken:
            self.close()
            raise ConnectionError(f"{method} {path}: {broken!r}") from broken
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, headers, content, tuple(response.headers.get_all("Set-Cookie", ())))

    def _renew(self) -> None:
        """Close a connection that was idle for so long that the server may be about to close it."""
        if time.monotonic() - self._used_at > IDLE_SECONDS:
            self.close()
        self._used_at = time.monotonic()

    def post_form_and_hang_up(self, path: str, **parameters: str) -> None:
        """Send a request, wait for the answer, and close the connection without reading it."""
        body, headers = _form(parameters)
        self._renew()
        self._connection.request("POST", path, body, headers)
        readable, _, _ = select.select([self._connection.sock], [], [], PATIENCE)
        assert readable, f"no answer within {PATIENCE} s"
        self.close()


def _form(parameters: Mapping[str, str]) -> tuple[bytes, dict[str, str]]:
    return urlencode(parameters).encode(), {"Content-Type": "application/x-www-form-urlencoded"}


def _authorization(bearer: str | None) -> dict[str, str]:
    return {} if bearer is None else {"Authorization": f"Bearer {bearer}"}


def answers(port: int, path: str = "/") -> bool:
    """Whether a server on `port` answers 200 to `path`."""
    try:
        with HttpClient(port) as client:
            return client.get(path).status == 200
    except ConnectionError:
        return False
