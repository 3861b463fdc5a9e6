"""The JSON account API (contract §3): bodies are strict JSON, answers are models, refusals are problems.

Owns shapes and status codes. Decides nothing: every view is one use case. The OpenAPI document and the page that shows
it are made of what is declared on the views.
"""

from apiflask import APIFlask

from authserver import __version__
from authserver.web.api import account, addresses, documentation, own_sessions, passwords, refresh, sign_in
from authserver.web.api.bearer import SECURITY_SCHEME
from authserver.web.api.blueprint import PREFIX, api
from authserver.web.context import EXTENSION

VIEWS = (sign_in, refresh, account, passwords, addresses, own_sessions, documentation)
"""The modules whose views are served; importing one hangs its views on the blueprint."""

__all__ = ["PREFIX", "register_api"]


def register_api(app: APIFlask) -> None:
    """Serve the API from `app`, whose realm and limits are in place already."""
    realm = app.extensions[EXTENSION]
    app.title, app.version = "authserver", __version__
    app.description = documentation.DESCRIPTION
    app.servers = [{"url": realm.issuer}]
    app.security_schemes = {SECURITY_SCHEME: {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
    # What views do not declare is not in the document: no guessed answers, no shapes that are not ours.
    app.config.update(
        dict.fromkeys(
            (
                "AUTO_200_RESPONSE",
                "AUTO_404_RESPONSE",
                "AUTO_VALIDATION_ERROR_RESPONSE",
                "AUTO_AUTH_ERROR_RESPONSE",
                "AUTO_TAGS",
            ),
            False,
        ),
        AUTO_OPERATION_ID=True,
    )
    app.spec_processor(documentation.complete)
    app.register_blueprint(api)
