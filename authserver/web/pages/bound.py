"""The cookies that bind requests to the browser in which they began. There is one for each request, up to a limit."""

from dataclasses import replace
from datetime import datetime
from typing import Final

from flask import Response, request

from authserver.authorization.pending_request import PendingRequest, find_beginning, read_binding, write_binding
from authserver.web.context import current_cookies, current_realm
from authserver.web.cookies import RequestCookie

MOST: Final = 10
"""The limit of requests at once in one browser. People use fewer tabs to sign in, and the cookies stay below 3 KiB."""


def find_bound(pending: PendingRequest) -> PendingRequest | None:
    """Find the request with the steps done in this browser; None if it did not begin in this browser."""
    kept = current_cookies().read(request, RequestCookie(pending.request_id))
    return read_binding(current_realm(), pending, kept)


def find_begun(fresh: PendingRequest) -> PendingRequest | None:
    """The request as it began in this browser, for one that is just asked for again; None if it began elsewhere."""
    kept = current_cookies().read(request, RequestCookie(fresh.request_id))
    began_at = None if kept is None else find_beginning(current_realm(), fresh.request_id, kept)
    return None if began_at is None else find_bound(replace(fresh, began_at=began_at))


def bind(response: Response, pending: PendingRequest) -> None:
    """Set the cookie that holds the done steps of the request. Beyond `MOST` requests, the oldest are cleared."""
    others = {request_id: at for request_id, at in _list_beginnings().items() if request_id != pending.request_id}
    for request_id in sorted(others, key=others.__getitem__, reverse=True)[MOST - 1 :]:
        current_cookies().take_back(response, RequestCookie(request_id))
    current_cookies().give(response, RequestCookie(pending.request_id), write_binding(current_realm(), pending))


def _list_beginnings() -> dict[str, datetime]:
    """List when each request of this browser began, by id, without the requests of other installations."""
    kept = current_cookies().list_requests(request)
    found = {request_id: find_beginning(current_realm(), request_id, value) for request_id, value in kept.items()}
    return {request_id: began_at for request_id, began_at in found.items() if began_at is not None}
