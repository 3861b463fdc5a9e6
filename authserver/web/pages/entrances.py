"""Redirects from addresses that people and browsers try by themselves."""

from flask import Response

from authserver.web.pages.blueprint import pages
from authserver.web.pages.redirects import go_to
from authserver.web.pages.visits import HOME

_PASSWORD = "/account/password"  # noqa: S105 - a page


@pages.get("/")
def show_home() -> Response:
    """Redirect the bare host name to the account."""
    return go_to(HOME)


@pages.get("/.well-known/change-password")
def show_change_password() -> Response:
    """Redirect password managers to the form (W3C, A Well-Known URL for Changing Passwords)."""
    return go_to(_PASSWORD)
