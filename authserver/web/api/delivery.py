"""The refresh token of a browser (contract §3): in a cookie that no script can read, one for each client.

What is given here is taken back only when it belongs to what has ended: a request that lost a race never clears the
winner's cookie.
"""

from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urlsplit

from flask import Response, after_this_request, request

from authserver.authentication.bearer import Bearer
from authserver.authorization.refresh_holder import find_access_behind
from authserver.protocol.secret import Secret
from authserver.records.client import Client
from authserver.records.family import GrantedAccess
from authserver.tokens.token_answer import TokenAnswer
from authserver.web.api.refusals import CROSS_SITE, FOREIGN_ORIGIN, Refusal
from authserver.web.context import current_cookies, current_realm
from authserver.web.cookies import Cookie, RefreshCookie
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


def keep_device_token(token: str | None) -> None:
    """Have the browser keep the token with which it is a known device, where there is one."""
    if token is None:
        return
    kept = Secret(token)

    @after_this_request
    def give(response: Response) -> Response:
        current_cookies().give(response, Cookie.KNOWN, kept)
        return response


def read_device_token() -> Secret | None:
    """The token with which this browser is a known device."""
    return current_cookies().read(request, Cookie.KNOWN)


def keeps_session(bearer: Bearer) -> bool:
    """Whether this browser holds the refresh token of the session that asks in a cookie."""
    return _holds(bearer, lambda granted: granted.sid == bearer.sid)


def forget_session(response: Response, bearer: Bearer) -> Response:
    """Take the cookie back, if it is of the session that asked and has ended now."""
    return _forget(response, bearer, lambda granted: granted.sid == bearer.sid)


def forget_user(response: Response, bearer: Bearer) -> Response:
    """Take the cookie back, if it is of the user who asked, all of whose sessions have ended now."""
    return _forget(response, bearer, lambda granted: granted.user_id == bearer.user_id)


def find_fault(client: Client) -> Refusal | None:
    """Why the page that calls may not use the cookie of `client`; None if it may (ASVS 3.5.1).

    Browsers name their origin with each `POST`; a program that does not is none, and has no cookie of ours either. It
    has to be one of the client's, or ours, and on our site: for another site a browser keeps no `SameSite=Strict`
    cookie, and drops it without a word.
    """
    issuer, origin = serialise_origin(current_realm().issuer), request.headers.get("Origin")
    if origin is None or origin not in {issuer, *client.origins}:
        return FOREIGN_ORIGIN
    site = request.headers.get("Sec-Fetch-Site")
    is_apart = _are_apart(origin, issuer) if site is None else site not in {"same-origin", "same-site"}
    return CROSS_SITE if is_apart else None


def _are_apart(one: str, other: str) -> bool:
    """Whether two origins are surely on two sites. Of two names with a domain only a browser knows."""
    first, second = urlsplit(one), urlsplit(other)
    if first.scheme != second.scheme:
        return True
    return first.hostname != second.hostname and any(_has_no_domain(parts.hostname or "") for parts in (first, second))


def _has_no_domain(host: str) -> bool:
    return "." not in host or ":" in host or host.rpartition(".")[2].isdigit()


def _forget(response: Response, bearer: Bearer, is_over: Callable[[GrantedAccess], bool]) -> Response:
    if bearer.client_id is not None and _holds(bearer, is_over):
        current_cookies().take_back(response, RefreshCookie(bearer.client_id))
    return response


def _holds(bearer: Bearer, is_meant: Callable[[GrantedAccess], bool]) -> bool:
    held = None if bearer.client_id is None else read_cookie(bearer.client_id)
    granted = None if held is None else find_access_behind(current_realm(), held)
    return granted is not None and is_meant(granted)
