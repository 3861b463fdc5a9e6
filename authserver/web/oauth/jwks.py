"""`GET /.well-known/jwks.json`: the public keys (RFC 7517 §5)."""

import math

from flask import Response
from werkzeug import Request

from authserver.realm import Realm
from authserver.web.oauth.door import Door


def answer_jwks(realm: Realm, request: Request) -> Response:
    """Answer with the JWK Set, publicly cacheable for `jwks_max_age`; 304 if the reader's copy is current."""
    keyring = realm.keyring.current
    response = Response(keyring.jwks, content_type="application/jwk-set+json")
    response.set_etag(keyring.jwks_etag)
    response.headers["Cache-Control"] = f"public, max-age={int(realm.jwks_max_age.total_seconds())}"
    # The age counts from when this node last read the keys from the database. So a cache computes the same freshness
    # whichever node it asks (RFC 9111 §5.1).
    response.headers["Age"] = str(math.ceil(realm.keyring.age.total_seconds()))
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.make_conditional(request)
    return response


DOOR = Door("jwks_uri", "/.well-known/jwks.json", ("GET",), answer_jwks)
