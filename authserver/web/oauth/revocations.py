"""`GET /oauth/revocations`: the revocation feed, for registered resource servers (contract §5).

A client assertion must not travel in a URL, so a resource server that authenticates by one sends the same parameters as
a form (POST).
"""

from dataclasses import dataclass

import structlog
from flask import Response
from werkzeug import Request
from werkzeug.http import http_date

from authserver.protocol.client_metadata import ClientKind
from authserver.protocol.oauth_error import OAuthError, invalid_request, unavailable
from authserver.protocol.text import is_storable
from authserver.realm import Realm
from authserver.records.client import Client
from authserver.web.oauth.door import Door
from authserver.web.oauth.form import JsonAnswer, answer_error, authenticate_request, read_form

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Asked:
    reader: Client
    cursor: str


def answer_revocations(realm: Realm, request: Request) -> Response | JsonAnswer:
    """Answer with a page of the feed, or 304 if the reader has it already."""
    asked = _read_request(realm, request)
    if isinstance(asked, OAuthError):
        _log.info("feed_refused", error=asked.error, reason=asked.reason, ip=request.remote_addr)
        return answer_error(asked)
    if not is_storable(asked.cursor):
        return answer_error(invalid_request("The cursor contains an invalid character."))
    known = request.if_none_match if request.method == "GET" else None
    page = realm.feed.read(asked.cursor, next(iter(known.as_set()), None) if known else None)
    wait = realm.feed.budget.spend(asked.reader.client_id, len(page.body)) if page.body and page.whole else None
    if wait is not None:
        _log.warning("feed_refused", error="windows_too_often", reader=asked.reader.client_id, ip=request.remote_addr)
        return answer_error(unavailable("the whole window too often", retry_after=wait))
    response = Response(page.body, 304 if page.body is None else 200, content_type="application/json")
    response.set_etag(page.etag)
    response.headers["Date"] = http_date(page.at)  # readers take the time of a 304 from it
    # Shared caches must not store it, because each reader has to authenticate. A reader must revalidate each time.
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def _read_request(realm: Realm, request: Request) -> _Asked | OAuthError:
    form = read_form(request) if request.method == "POST" else {}
    if isinstance(form, OAuthError):
        return form
    client = authenticate_request(realm, request, form)
    if isinstance(client, OAuthError):
        return client
    if client.kind is not ClientKind.RESOURCE_SERVER:
        return OAuthError("unauthorized_client", "Only resource servers may read the feed.", client.kind.value)
    return _Asked(client, form.get("cursor", request.args.get("cursor", "")))


DOOR = Door("revocation_feed_endpoint", "/oauth/revocations", ("GET", "POST"), answer_revocations)
