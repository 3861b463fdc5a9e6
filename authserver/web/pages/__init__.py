"""Pages for people (contract §9): plain HTML forms that need no script and no other host.

Owns what people read and the checks that a form comes from here. Decides nothing: every act is one use case.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from flask import Flask

from authserver.branding.brand import Brand
from authserver.web.pages import (
    account,
    assets,
    authorize,
    dispatcher,
    entrances,
    forgot,
    links,
    reset,
    sign_out,
    signup,
)
from authserver.web.pages.blueprint import pages
from authserver.web.pages.rendering import dress

VIEWS = (assets, entrances, authorize, dispatcher, links, reset, forgot, signup, sign_out, account)
"""The modules whose views are served; importing one hangs its views on the blueprint."""

ENDPOINTS: Final[Mapping[str, str]] = {
    "authorization_endpoint": authorize.PATH,
    "end_session_endpoint": sign_out.PATH,
}
"""Pages that protocols send browsers to: name in the discovery documents (RFC 8414 §2) → path."""

__all__ = ["ENDPOINTS", "register_pages"]


def register_pages(app: Flask, brand: Brand, overrides: Path | None) -> None:
    """Serve the pages from `app`, whose realm and limits are in place already.

    Args:
        app: the application.
        brand: how the pages look.
        overrides: the operator's folder of templates; it need not exist.

    Raises:
        UnusableTemplateError: one of the operator's templates cannot be used; in one line.
    """
    dress(app, brand, overrides)
    app.register_blueprint(pages)
