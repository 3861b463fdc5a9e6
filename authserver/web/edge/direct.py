"""A direct way to the OAuth endpoints, which skips Flask's work around a view.

A client returns to the token endpoint every few minutes for as long as it lives, and a resource server reads the feed
twice a second. Request contexts, routing and hooks are a fifth of the cost of a refresh, and these views use none of
them (docs/decisions/0017). Only an exact path and method are answered here. Flask's handlers shape failures, as
everywhere. NOT run here: hooks of Flask (`before_request`, `after_request`, teardown).
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
    """Wrap the WSGI application of `app`: most views of `DOORS` are called directly, Flask answers everything else."""
    served = [door for door in DOORS if door.is_served(realm) and not door.counts_tries]
    views = {(method, door.path): door.view for door in served for method in door.methods}
    others = app.wsgi_app

    def answer(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        view = views.get((environ["REQUEST_METHOD"], environ["PATH_INFO"]))
        if view is None:
            return others(environ, start_response)
        try:
            response = view(realm, Request(environ))
        except Exception as error:  # noqa: BLE001 - Flask's handlers answer and log any failure
            with app.request_context(environ):
                response = app.make_response(app.handle_user_exception(error))
        return response(environ, start_response)

    return answer
