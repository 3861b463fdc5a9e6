"""Access of views to the realm and the cookies of the installation."""

from typing import cast

from flask import current_app

from authserver.realm import Realm
from authserver.web.cookies import CookieJar

EXTENSION = "authserver"


def current_realm() -> Realm:
    """The realm of the application that handles this request."""
    return cast("Realm", current_app.extensions[EXTENSION])


def current_cookies() -> CookieJar:
    """The cookie jar of this installation."""
    return CookieJar.of_issuer(current_realm().issuer)
