"""The OAuth endpoints, answered without what Flask does around a view.

A client comes back to the token endpoint every few minutes for as long as it lives, and a resource server to the feed
twice a second. Request contexts, routing and hooks are a fifth of what a refresh costs, and these views ask nothing of
them (docs/decisions/0017). Failures are shaped by Flask's handlers as everywhere, and only a path and a method that fit
exactly are answered here. NOT run here: hooks of Flask (`before_request`, `after_request`, teardown).
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Flask
from werkzeug import Request

from authserver.realm import Realm
from authserver.web.oauth import DOORS

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


def answer_directly(app: Flask, realm: Realm) -> "WSGIApplication":
    """The application of `app`, with a shorter way to the doors."""
    views = {(method, door.path): door.view for door in DOORS for method in door.methods}
    others = app.wsgi_app

    def answer(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        view = views.get((environ["REQUEST_METHOD"], environ["PATH_INFO"]))
        if view is None:
            return others(environ, start_response)
        try:
            response = view(realm, Request(environ))
        except Exception as error:  # noqa: BLE001 - whatever it is, the handlers say it and log it
            with app.request_context(environ):
                response = app.make_response(app.handle_user_exception(error))
        return response(environ, start_response)

    return answer
