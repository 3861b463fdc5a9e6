"""The signed-in user of the browser, read from its cookie, and the cookies that a sign-in sets."""

from flask import Response, g, request

from authserver.authentication.browser_session import BrowserSignedIn, SignedInBrowser, find_browser_session
from authserver.protocol.secret import Secret
from authserver.web.context import current_cookies, current_realm
from authserver.web.cookies import Cookie


def current_browser() -> SignedInBrowser | None:
    """Find the user signed in at this browser, or None. Queried once per request."""
    if "browser" not in g:
        g.browser = find_browser_session(current_realm(), current_cookies().read(request, Cookie.SESSION))
    browser: SignedInBrowser | None = g.browser
    return browser


def read_device_id() -> str | None:
    """Read the device id of this browser; None at its first visit."""
    device = current_cookies().read(request, Cookie.DEVICE)
    return None if device is None else device.reveal()


def keep_signed_in(response: Response, signed_in: BrowserSignedIn) -> Response:
    """Set the cookies of the session, of the device id and of the known device."""
    current_cookies().give(response, Cookie.SESSION, signed_in.cookie)
    current_cookies().give(response, Cookie.DEVICE, Secret(signed_in.device_id))
    current_cookies().give(response, Cookie.KNOWN, signed_in.device_token)
    return response
