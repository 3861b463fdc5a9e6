"""A slow line between a browser and a server: delays requests and answers at random, or loses answers."""

import random
import time
from collections.abc import Sequence
from itertools import cycle
from typing import Final

from tests.support.wire.http import HttpClient
from tests.support.wire.loopback import Asked, Reply

_OF_A_CONNECTION: Final = frozenset({"connection", "content-length", "host", "keep-alive", "transfer-encoding"})
_NOT_CARRIED_BACK: Final = _OF_A_CONNECTION | {"set-cookie"}
PAGE: Final = "/tab"
"""The path at which the line itself answers, with a page of the server's origin."""


class SlowLine:
    """Answers `running_server` by passing requests to a server, whose issuer must be the line's address.

    The nodes of the server are at `ports`, and get the requests in turn. `seconds` are the shortest and the longest
    delay, each way. While `loses_answers` is true, the server does its work, but the browser only sees the connection
    end.
    """

    def __init__(self, ports: Sequence[int], page: str, seconds: tuple[float, float], seed: int) -> None:
        """Draw the delays from `seed`."""
        self.loses_answers = False
        self._ports = cycle(ports)
        self._page = Reply(page.encode(), headers={"Content-Type": "text/html; charset=utf-8"})
        self._seconds = seconds
        self._random = random.Random(seed)

    def __call__(self, asked: Asked) -> Reply:
        """Pass on one request, and return its answer."""
        if asked.path == PAGE:
            return self._page
        time.sleep(self._random.uniform(*self._seconds))
        headers = {name: value for name, value in asked.headers.items() if name not in _OF_A_CONNECTION}
        with HttpClient(next(self._ports)) as client:
            answer = client.request(asked.method, asked.path, asked.body, headers)
        time.sleep(self._random.uniform(*self._seconds))
        if self.loses_answers:
            raise ConnectionAbortedError
        kept = {name: value for name, value in answer.headers.items() if name not in _NOT_CARRIED_BACK}
        return Reply(answer.body, answer.status, kept, answer.cookies)
