"""`GET /healthz` (the process answers) and `GET /readyz` (it can do its work)."""

import threading

from flask import Response

from authserver.realm import Realm
from authserver.upkeep.readiness import find_obstacle


def answer_health() -> Response:
    """200 as long as the process answers."""
    return _plain("ok\n", 200)


class Readiness:
    """Asks the database for a second at most, and one request at a time: meanwhile others get what was found last."""

    def __init__(self, realm: Realm) -> None:
        """Ask nothing yet."""
        self._realm = realm
        self._asking = threading.Lock()
        self._found = ("the database was not asked yet\n", 503)

    def answer(self) -> Response:
        """200 when the database is reachable and migrated and a key can sign; 503 and the reason otherwise."""
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
