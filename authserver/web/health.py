"""`GET /healthz` (the process answers) and `GET /readyz` (the process can do its work)."""

import threading

from flask import Response

from authserver.realm import Realm
from authserver.upkeep.readiness import find_obstacle


def answer_health() -> Response:
    """Answer 200, as long as the process can answer at all."""
    return _plain("ok\n", 200)


class Readiness:
    """Checks readiness, waiting up to a second for the database, one check at a time.

    Requests that come during a check get the result of the last one.
    """

    def __init__(self, realm: Realm) -> None:
        """Store the realm; nothing is checked yet."""
        self._realm = realm
        self._asking = threading.Lock()
        self._found = ("the database was not asked yet\n", 503)

    def answer(self) -> Response:
        """Answer 200 if the database is reachable and migrated and a key can sign; otherwise 503 with the reason."""
        if self._asking.acquire(blocking=False):
            try:
                self._found = _ask(self._realm)
            finally:
                self._asking.release()
        return _plain(*self._found)


def _ask(realm: Realm) -> tuple[str, int]:
    obstacle = find_obstacle(realm)
    return ("ready\n", 200) if obstacle is None else (f"{obstacle}\n", 503)


def _plain(text: str, status: int) -> Response:
    response = Response(text, status, content_type="text/plain; charset=utf-8")
    response.headers["Cache-Control"] = "no-store"
    return response
