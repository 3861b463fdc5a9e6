"""Pages for people (contract §9): plain HTML forms that need no script and no other host.

Owns what people read, and the check that a form comes from one of its pages. Decides nothing: every form calls one use
case.
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
"""The modules whose views are served. Importing a module registers its views on the blueprint."""

ENDPOINTS: Final[Mapping[str, str]] = {
    "authorization_endpoint": authorize.PATH,
    "end_session_endpoint": sign_out.PATH,
}
"""The pages to which protocols send browsers: name in the discovery documents (RFC 8414 §2) → path."""

__all__ = ["ENDPOINTS", "register_pages"]


def register_pages(app: Flask, brand: Brand, overrides: Path | None) -> None:
    """Register the pages on `app`. The realm and the limits must be in place already.

    Args:
        app: the application.
        brand: the name, the logo and the colours of the pages.
        overrides: the operator's folder of templates; it need not exist.

    Raises:
        UnusableTemplateError: one of the operator's templates cannot be used. The message is one line.
    """
    dress(app, brand, overrides)
    app.register_blueprint(pages)
