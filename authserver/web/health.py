"""`GET /healthz` (the process answers) and `GET /readyz` (it can do its work)."""

from flask import Response

from authserver.storage import StorageUnavailableError
from authserver.storage.revision import is_current
from authserver.web.context import current_realm


def answer_health() -> Response:
    """200 as long as the process answers."""
    return _plain("ok\n", 200)


def answer_readiness() -> Response:
    """200 when the database is reachable and migrated and a key can sign; 503 and the reason otherwise."""
    realm = current_realm()
    try:
        if not is_current(realm.database):
            return _plain("the database is not migrated\n", 503)
        realm.keyring.current.signing_key  # noqa: B018 - raises where there is none
    except StorageUnavailableError:
        return _plain("the database does not answer\n", 503)
    return _plain("ready\n", 200)


def _plain(text: str, status: int) -> Response:
    response = Response(text, status, content_type="text/plain; charset=utf-8")
    response.headers["Cache-Control"] = "no-store"
    return response
