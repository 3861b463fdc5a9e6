"""How many requests a worker works on at once, and what becomes of the others.

A request that would only wait is told to come back, before anything is done for it: those that were let in stay quick,
and threads are left for what needs no database. One door never takes all places, so that whoever waits behind a locked
table keeps the other doors open. Where a request waits for the database, `patience` bounds how long.
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
    """Counts the requests under way; safe to share between threads.

    Args:
        most: how many at once.
        most_of_a_door: of those, how many at the same door.
        seconds: what each of them may wait for the database in all.
    """

    def __init__(self, most: int, most_of_a_door: int, seconds: float = REQUEST_SECONDS) -> None:
        """Nobody is here yet."""
        self.seconds = seconds
        self._most = most
        self._most_of_a_door = most_of_a_door
        self._here = 0
        self._at_doors: dict[str, int] = {}
        self._lock = threading.Lock()

    def enter(self, door: str) -> bool:
        """Whether there is a place; whoever got one must `leave`."""
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
            at_door = self._at_doors.pop(door) - 1  # anybody may make up paths, so none stays
            if at_door:
                self._at_doors[door] = at_door


class Admission:
    """Lets requests into `application` as far as there is a place.

    Args:
        application: what answers them. It has done all its work when it returns.
        crowd: the places of all doors that `own` does not name.
        own: the places of a path that has its own; None where it needs none, being answered from memory.
        aside: the places of those that are turned away.
        clock: tells when it was last logged that requests are turned away.
        entropy: spreads the times at which they come back.
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
        """Turn nobody away yet."""
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
            # The next who waits to be let in needs the connection more.
            ("Connection", "close"),
        ]
        self._read(environ)
        start_response("503 Service Unavailable", headers)
        return [body]

    def _read(self, environ: "WSGIEnvironment") -> None:
        """Read what the client is still sending, or else it meets a closed connection instead of the answer."""
        length = int(environ.get("CONTENT_LENGTH") or 0)
        if length and self._aside.enter(""):
            try:
                environ["wsgi.input"].read(length)
            finally:
                self._aside.leave("")


def name_door(path: str) -> str:
    """What is behind the first two parts of `path` is one door, whatever follows."""
    return "/".join(path.split("/", 3)[:3])
