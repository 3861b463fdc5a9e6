"""`POST /oauth/par`: a client pushes an authorization request (RFC 9126)."""

from werkzeug import Request

from authserver.authorization.pushed_request import Pushed, push_request
from authserver.realm import Realm
from authserver.web.authorization import offer_nonce, read_dpop
from authserver.web.oauth.counted import answer_refusal, read_counted_request
from authserver.web.oauth.door import Door
from authserver.web.oauth.form import ClientRequest, JsonAnswer, answer_json


def answer_par(realm: Realm, request: Request) -> JsonAnswer:
    """Answer a push: 201 with the `request_uri`, or the refusal that the redirect would have carried (§2.3)."""
    asked = read_counted_request(realm, request, "response_type", purpose="par")
    http = read_dpop(realm, request)
    outcome = push_request(realm, asked.client, asked.parameters, http) if isinstance(asked, ClientRequest) else asked
    if isinstance(outcome, Pushed):
        response = answer_json(outcome, 201)
    else:
        response = answer_refusal(outcome, request, event="push_refused")
    offer_nonce(realm, request, response.headers)
    return response


DOOR = Door("pushed_authorization_request_endpoint", "/oauth/par", ("POST",), answer_par, counts_tries=True)
