"""Admission: the limit of requests that a worker handles at once, and the answer to the others.

A request that would only wait gets a 503 with `Retry-After`, before any work is done for it. So admitted requests stay
fast, and threads are left for requests that need no database. One door never takes all places, so that requests which
wait for a locked table do not block the other doors. `patience` limits how long a request waits for the database.
"""

import json
import threading
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import structlog

from authserver.clock import Clock
from authserver.patience import REQUEST_SECONDS, TURN_SECONDS, serving
from authserver.protocol.entropy import Entropy
from authserver.protocol.pause import draw_pause
from authserver.web.problem import PROBLEM_TYPE, Problem, describe_problem

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_log = structlog.get_logger(__name__)
_LOGGED_SECONDS: Final = 10.0
_REASON: Final = "Too many requests at once. Please try again."
_BODIES: Final = {
    "api": (
        PROBLEM_TYPE,
        json.dumps(describe_problem(Problem(HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", _REASON))).encode(),
    ),
    "oauth": (
        "application/json",
        json.dumps({"error": "temporarily_unavailable", "error_description": _REASON}).encode(),
    ),
}
_PLAIN: Final = ("text/plain; charset=utf-8", f"{_REASON}\n".encode())


class Crowd:
    """Counts the requests that are being handled. Threads may share it.

    Args:
        most: the limit of requests at once.
        most_of_a_door: the limit of requests at once at the same door.
        seconds: how long each of them may wait for the database in total.
    """

    def __init__(self, most: int, most_of_a_door: int, seconds: float = REQUEST_SECONDS) -> None:
        """Start with no requests."""
        self.seconds = seconds
        self._most = most
        self._most_of_a_door = most_of_a_door
        self._here = 0
        self._at_doors: dict[str, int] = {}
        self._lock = threading.Lock()

    def enter(self, door: str) -> bool:
        """Take a place at `door`, and return True; False if there is none. Follow each True with one `leave`."""
        with self._lock:
            at_door = self._at_doors.get(door, 0)
            if self._here >= self._most or at_door >= self._most_of_a_door:
                return False
            self._here += 1
            self._at_doors[door] = at_door + 1
            return True

    def leave(self, door: str) -> None:
        """Give the place back."""
        with self._lock:
            self._here -= 1
            at_door = self._at_doors.pop(door) - 1  # anybody can make up paths, so unused ones are not kept
            if at_door:
                self._at_doors[door] = at_door


class Admission:
    """Passes requests on to `application` while there are free places, and turns the others away.

    Args:
        application: answers the requests. It has done all its work when it returns.
        crowd: the places of all paths that `own` does not name.
        own: the places of paths that have places of their own; None for a path that is answered from memory.
        aside: the places of requests that are turned away.
        clock: limits how often the log reports that requests are turned away.
        entropy: spreads the times in `Retry-After`.
    """

    def __init__(
        self,
        application: "WSGIApplication",
        crowd: Crowd,
        own: Mapping[str, Crowd | None],
        aside: Crowd,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        """Store the arguments; every place is still free."""
        self._application = application
        self._crowd = crowd
        self._own = own
        self._aside = aside
        self._clock = clock
        self._entropy = entropy
        self._turned_away = 0
        self._logged_at = float("-inf")

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request."""
        path = environ.get("PATH_INFO", "")
        door = name_door(path)
        crowd = self._own.get(path, self._crowd)
        if crowd is None:
            with serving(door, TURN_SECONDS):
                return self._application(environ, start_response)
        if not crowd.enter(door):
            return self._turn_away(environ, path, start_response)
        try:
            with serving(door, crowd.seconds):
                return self._application(environ, start_response)
        finally:
            crowd.leave(door)

    def _turn_away(self, environ: "WSGIEnvironment", path: str, start_response: "StartResponse") -> Iterable[bytes]:
        self._turned_away += 1
        now = self._clock.monotonic()
        if now - self._logged_at >= _LOGGED_SECONDS:
            self._logged_at = now
            _log.warning("requests_turned_away", path=path, since_start=self._turned_away)
        content_type, body = _BODIES.get(path.split("/", 2)[1], _PLAIN)
        headers = [
            ("Content-Type", content_type),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
            ("Retry-After", str(draw_pause(self._entropy))),
            # Frees the connection for the next waiting client.
            ("Connection", "close"),
        ]
        self._read(environ)
        start_response("503 Service Unavailable", headers)
        return [body]

    def _read(self, environ: "WSGIEnvironment") -> None:
        """Read the rest of the body. Otherwise the client sees a closed connection instead of the answer."""
        length = int(environ.get("CONTENT_LENGTH") or 0)
        if length and self._aside.enter(""):
            try:
                environ["wsgi.input"].read(length)
            finally:
                self._aside.leave("")


def name_door(path: str) -> str:
    """The door of `path`: its first two segments."""
    return "/".join(path.split("/", 3)[:3])
