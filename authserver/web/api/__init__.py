"""The JSON account API (contract §3): bodies are strict JSON, answers are models, refusals are problems.

Owns shapes and status codes. Decides nothing: every view calls one use case. The OpenAPI document and its page are
generated from the declarations on the views.
"""

from apiflask import APIFlask

from authserver import __version__
from authserver.web.api import account, addresses, documentation, own_sessions, passwords, refresh, sign_in
from authserver.web.api.bearer import SECURITY_SCHEME
from authserver.web.api.blueprint import PREFIX, api
from authserver.web.context import EXTENSION

VIEWS = (sign_in, refresh, account, passwords, addresses, own_sessions, documentation)
"""The modules whose views are served. Importing a module registers its views on the blueprint."""

__all__ = ["PREFIX", "register_api"]


def register_api(app: APIFlask) -> None:
    """Register the API on `app`. The realm and the limits must be in place already."""
    realm = app.extensions[EXTENSION]
    app.title, app.version = "authserver", __version__
    app.description = documentation.DESCRIPTION
    app.servers = [{"url": realm.issuer}]
    app.security_schemes = {SECURITY_SCHEME: {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
    # The document holds only what views declare; APIFlask's guessed answers and default shapes are switched off.
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
    app.url_map.converters["session_id"] = own_sessions.SessionId
    app.spec_processor(documentation.complete)
    app.register_blueprint(api)
