"""Pages for people (contract §9): plain HTML forms that need no script, no cookie and no other host.

Owns what people read and the checks that a form comes from here. Decides nothing: every act is one use case.
"""

from flask import Flask

from authserver.web.pages import forgot, links, reset
from authserver.web.pages.blueprint import pages

VIEWS = (links, reset, forgot)
"""The modules whose views are served; importing one hangs its views on the blueprint."""

__all__ = ["register_pages"]


def register_pages(app: Flask) -> None:
    """Serve the pages from `app`, whose realm and limits are in place already."""
    app.register_blueprint(pages)
