"""The refresh token of a browser (contract §3): in a cookie that no script can read, one for each client.

What is given here is taken back only when it belongs to what has ended: a request that lost a race never clears the
winner's cookie.
"""

from collections.abc import Callable
from datetime import timedelta

from flask import Response, after_this_request, request

from authserver.accounts.bearer import Bearer
from authserver.accounts.refresh_holder import find_grant_behind
from authserver.protocol.secret import Secret
from authserver.realm import TokenAnswer
from authserver.sessions.family import Grant
from authserver.storage.clients import Client
from authserver.web.context import current_cookies, current_realm
from authserver.web.cookies import RefreshCookie
from authserver.web.site import serialise_origin


def keep_in_cookie(client_id: str, tokens: TokenAnswer) -> None:
    """Have the browser keep the refresh token of `tokens` as long as it can be used."""
    cookie = RefreshCookie(client_id, timedelta(seconds=tokens.refresh_expires_in))

    @after_this_request
    def give(response: Response) -> Response:
        current_cookies().give(response, cookie, Secret(tokens.refresh_token))
        return response


def read_cookie(client_id: str) -> Secret | None:
    """The refresh token that the browser brings for this client."""
    return current_cookies().read(request, RefreshCookie(client_id))


def keeps_session(bearer: Bearer) -> bool:
    """Whether this browser holds the refresh token of the session that asks in a cookie."""
    return _holds(bearer, lambda grant: grant.sid == bearer.sid)


def forget_session(response: Response, bearer: Bearer) -> Response:
    """Take the cookie back, if it is of the session that asked and has ended now."""
    return _forget(response, bearer, lambda grant: grant.sid == bearer.sid)


def forget_user(response: Response, bearer: Bearer) -> Response:
    """Take the cookie back, if it is of the user who asked, all of whose sessions have ended now."""
    return _forget(response, bearer, lambda grant: grant.user_id == bearer.user_id)


def comes_from(client: Client) -> bool:
    """Whether a browser says that a page of this client, or of ours, is calling (ASVS 3.5.1).

    With each `POST` browsers say so; whoever does not is none, and has no cookie of ours either.
    """
    origin = request.headers.get("Origin")
    return origin is not None and origin in {serialise_origin(current_realm().issuer), *client.origins}


def _forget(response: Response, bearer: Bearer, is_over: Callable[[Grant], bool]) -> Response:
    if bearer.client_id is not None and _holds(bearer, is_over):
        current_cookies().take_back(response, RefreshCookie(bearer.client_id))
    return response


def _holds(bearer: Bearer, is_meant: Callable[[Grant], bool]) -> bool:
    held = None if bearer.client_id is None else read_cookie(bearer.client_id)
    grant = None if held is None else find_grant_behind(current_realm(), held)
    return grant is not None and is_meant(grant)
