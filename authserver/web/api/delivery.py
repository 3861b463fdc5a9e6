"""The refresh token of a browser (contract §3), in a cookie that no script can read. Each client has its own cookie.

A cookie is cleared only if it belongs to what has ended. So a request that lost a race never clears the cookie of the
winner.
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
    """Set the cookie of the refresh token in `tokens`, for as long as the token can be used."""
    cookie = RefreshCookie(client_id, timedelta(seconds=tokens.refresh_expires_in))

    @after_this_request
    def give(response: Response) -> Response:
        current_cookies().give(response, cookie, Secret(tokens.refresh_token))
        return response


def read_cookie(client_id: str) -> Secret | None:
    """Read the refresh token of this client from its cookie; None if there is none."""
    return current_cookies().read(request, RefreshCookie(client_id))


def keep_device_token(token: str | None) -> None:
    """Set the cookie of the token that makes this browser a known device, if there is one."""
    if token is None:
        return
    kept = Secret(token)

    @after_this_request
    def give(response: Response) -> Response:
        current_cookies().give(response, Cookie.KNOWN, kept)
        return response


def read_device_token() -> Secret | None:
    """Read the token that makes this browser a known device; None if there is none."""
    return current_cookies().read(request, Cookie.KNOWN)


def keeps_session(bearer: Bearer) -> bool:
    """Whether a cookie of this browser holds a refresh token of the calling session."""
    return _holds(bearer, lambda granted: granted.sid == bearer.sid)


def forget_session(response: Response, bearer: Bearer) -> Response:
    """Clear the cookie if its refresh token belongs to the calling session, which has ended."""
    return _forget(response, bearer, lambda granted: granted.sid == bearer.sid)


def forget_user(response: Response, bearer: Bearer) -> Response:
    """Clear the cookie if its refresh token belongs to the calling user, whose sessions have all ended."""
    return _forget(response, bearer, lambda granted: granted.user_id == bearer.user_id)


def find_fault(client: Client) -> Refusal | None:
    """Find why the calling page may not use the cookie of `client`; None if it may (ASVS 3.5.1).

    Browsers send `Origin` with each `POST`. A program that sends none is no browser, and has no cookie of ours either.
    The origin must be the issuer's or one of the client's, and on the same site as the issuer. On another site a
    browser silently drops a `SameSite=Strict` cookie.
    """
    issuer, origin = serialise_origin(current_realm().issuer), request.headers.get("Origin")
    if origin is None or origin not in {issuer, *client.origins}:
        return FOREIGN_ORIGIN
    site = request.headers.get("Sec-Fetch-Site")
    is_apart = _are_apart(origin, issuer) if site is None else site not in {"same-origin", "same-site"}
    return CROSS_SITE if is_apart else None


def _are_apart(one: str, other: str) -> bool:
    """Whether two origins are certainly on two sites. For two domain names, only a browser knows."""
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
