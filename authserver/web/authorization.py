"""Access tokens and key proofs in requests to our own endpoints, and challenges that refuse them (RFC 6750, RFC 9449).

A token is read only from the `Authorization` header (§2.1). A second token anywhere refuses the request
(`bearer_request`).
"""

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

from werkzeug import Request
from werkzeug.datastructures import Headers

from authserver.jose.dpop_proof import SIGNING_ALGORITHMS
from authserver.protocol.bearer_request import FORM_TYPE, SeveralTokens, read_token
from authserver.protocol.dpop_request import NONCE_HEADER, WITHOUT_PROOF, DpopRequest
from authserver.realm import Realm
from authserver.records.presence import BearerRefused
from authserver.tokens.key_proof import current_nonce

BARE_CHALLENGE: Final = "Bearer"
"""The challenge for a request without a token, which has no error code (RFC 6750 §3.1)."""

_ALGORITHMS: Final = " ".join(SIGNING_ALGORITHMS)
_OF_PROOFS: Final = frozenset({"invalid_dpop_proof", "use_dpop_nonce"})


@dataclass(frozen=True, slots=True)
class ShownToken:
    """The access token of a request, and the request itself if it shows the token by the scheme `DPoP`."""

    token: str = field(repr=False)
    dpop: DpopRequest | None


def read_shown_token(realm: Realm, request: Request) -> ShownToken | SeveralTokens | None:
    """Read the access token; None if there is none. It is not verified here.

    The body of a form is cached for later readers. The guard has already limited its length.
    """
    query = request.query_string.decode("latin-1")
    form = request.get_data(cache=True).decode("latin-1") if request.mimetype == FORM_TYPE else ""
    found = read_token(request.headers.getlist("Authorization"), query, form)
    if found is None or isinstance(found, SeveralTokens):
        return found
    return (
        ShownToken(found.token, read_dpop(realm, request) if found.scheme == "DPoP" else None) if found.token else None
    )


def read_dpop(realm: Realm, request: Request) -> DpopRequest:
    """The request, as a proof covers it (RFC 9449 §4.2); `WITHOUT_PROOF` if it brings none.

    Its URL is the one below the issuer: what the request says about its host proves nothing, and a proxy may change it.
    """
    if "HTTP_DPOP" not in request.environ:
        return WITHOUT_PROOF  # most requests: a refresh without a proof pays for none of this
    url = realm.issuer + quote(request.path, safe="/:@!$&'()*+,;=~")
    return DpopRequest(request.method, url, request.environ["HTTP_DPOP"])


def challenge_refused(refused: BearerRefused) -> str:
    """`WWW-Authenticate` for a token that is not accepted (§3.1), and what its holder may keep (contract §3)."""
    return write_challenge(refused.scheme, error=name_error(refused), soft_logout=str(refused.soft_logout).lower())


def name_error(refused: BearerRefused) -> str:
    """The error code of the RFCs (RFC 6750 §3.1, RFC 9449 §12.2)."""
    return refused.code if refused.code in _OF_PROOFS else "invalid_token"


def write_challenge(scheme: str, **parameters: str) -> str:
    """`WWW-Authenticate`; with `DPoP` it names what a proof may be signed with (RFC 9449 §7.1)."""
    named = parameters | ({"algs": _ALGORITHMS} if scheme == "DPoP" else {})
    return f"{scheme} " + ", ".join(f'{name}="{value}"' for name, value in named.items())


def challenge_in_kind(request: Request, challenge: str) -> str:
    """`challenge`, by the scheme DPoP if the request showed its token so."""
    error = challenge.removeprefix("Bearer ")
    is_dpop = request.headers.get("Authorization", "").lower().startswith("dpop ")
    return f'DPoP {error}, algs="{_ALGORITHMS}"' if is_dpop and error != challenge else challenge


def offer_nonce(realm: Realm, request: Request, headers: dict[str, str] | Headers) -> None:
    """Add the nonce for the next proof to the answer of a request that brought one (RFC 9449 §8.2)."""
    nonce = current_nonce(realm) if "HTTP_DPOP" in request.environ else None
    if nonce is not None:
        headers[NONCE_HEADER] = nonce
