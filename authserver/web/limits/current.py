"""Access of views to the limits of the installation."""

from typing import cast

from flask import current_app

from authserver.web.limits.limits import Limits

LIMITS_EXTENSION = "authserver.limits"


def current_limits() -> Limits:
    """The limits of the application that handles this request."""
    return cast("Limits", current_app.extensions[LIMITS_EXTENSION])
