"""`request_uri` (RFC 9126 §2.2): names an authorization request that its client pushed before the browser comes.

256 random bits, of which the database keeps only the digest: a copy of it opens no request.
"""

from datetime import timedelta
from typing import Final

from authserver.protocol.authorization_code import digest_code, new_code
from authserver.protocol.entropy import Entropy

REQUEST_URI_LIFETIME: Final = timedelta(seconds=60)
"""How long a browser may take from the client to the server."""

_PREFIX: Final = "urn:ietf:params:oauth:request_uri:"


def new_request_uri(entropy: Entropy) -> str:
    """Make a `request_uri` that nobody can guess."""
    return _PREFIX + new_code(entropy)


def is_pushed(request_uri: str) -> bool:
    """Whether `request_uri` names a pushed request, rather than a document at some address (OIDC Core §6.2)."""
    return request_uri.startswith(_PREFIX)


def digest_request_uri(request_uri: str) -> bytes:
    """The digest under which the database keeps the request; accepts any text."""
    return digest_code(request_uri)
