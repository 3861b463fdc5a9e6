"""Access tokens in HTTP requests, for all framework adapters (RFC 6750, 9449, 9470, 9728).

Builds refusals, and the metadata with which a client finds the issuer. Knows no framework: an adapter converts an
`Answer` to a response of its framework.
"""

import json
import re
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

from authserver.jose.dpop_proof import SIGNING_ALGORITHMS
from authserver.protocol.bearer_request import (
    FORM_TYPE,
    SEVERAL_CHALLENGE,
    SEVERAL_TOKENS,
    Credentials,
    SeveralTokens,
    count_tokens,
)
from authserver.protocol.claims import AccessTokenClaims
from authserver.protocol.dpop_request import NONCE_HEADER, DpopRequest
from authserver.verifier.demands import Demand
from authserver.verifier.jwks import COOL_DOWN
from authserver.verifier.refusals import InvalidToken
from authserver.verifier.verifier import Verifier

WELL_KNOWN = "/.well-known/oauth-protected-resource"
_BAD_REQUEST, _UNAUTHORIZED = 400, 401
_FORM_MOST_BYTES = 64 * 1024
_LENGTH_MOST_DIGITS = 9
_RETRY_AFTER = {"keys_unavailable": COOL_DOWN}
_URL = re.compile(r"https?://[A-Za-z0-9._~:/%\[\]-]+\Z")


@dataclass(frozen=True, slots=True)
class Answer:
    """A response to send instead of the requested one."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class Call:
    """One request, as an adapter finds it.

    Attributes:
        credentials: the result of `read_token` for header and query.
        base_url: scheme, host and mount, without a slash at the end.
        method: such as `GET`.
        path: below the mount, decoded.
        proof: the value of the `DPoP` header; several joined with commas; None if there is none.
    """

    credentials: Credentials | SeveralTokens | None
    base_url: str
    method: str
    path: str
    proof: str | None = field(repr=False)


class RefusedError(Exception):
    """The request is refused; `answer` is for the client."""

    def __init__(self, answer: Answer) -> None:
        """Keep `answer`."""
        super().__init__(answer.status)
        self.answer = answer


class BearerGuard:
    """Lets requests with valid tokens through, and answers the others with a refusal.

    Args:
        verifier: decides which tokens are valid.
        resource: the URL by which clients know this resource server (RFC 9728 §1.2). Default: the audience, if the
            verifier has exactly one and it is a URL; otherwise no metadata is served. If it is given, DPoP proofs must
            name its scheme and host; otherwise those of the request, which a client can choose (`Host`).
        metadata_url: the URL of the metadata, if its host is not the host of the request, as behind a proxy that
            changes it.
    """

    def __init__(self, verifier: Verifier, *, resource: str | None = None, metadata_url: str | None = None) -> None:
        """Check the URLs; `ValueError` if one cannot be written in a challenge."""
        for url in (resource, metadata_url):
            if url is not None and not _URL.match(url):
                raise ValueError("resource and metadata_url are http or https URLs")
        self.verifier = verifier
        self.serves_metadata = False
        """Set by an adapter that serves the metadata of `describe`; until then, no challenge points to it."""
        self._resource = _find_resource(verifier.audiences) if resource is None else resource
        self._origin = None if resource is None else _origin_of(resource)
        self._metadata_url = metadata_url

    def admit(self, call: Call, demand: Demand) -> AccessTokenClaims:
        """The claims of a valid token that meets `demand`, or `RefusedError`. May wait: see `Verifier.verify_at_once`.

        If `may_carry_token` is true, call `check_form` next.
        """
        shown = call.credentials
        if isinstance(shown, SeveralTokens):
            raise RefusedError(self._refuse_several(call.base_url))
        if shown is None:
            raise RefusedError(self.challenge(call.base_url, demand.scope))
        try:
            claims = self.verifier.verify(shown.token, self._describe_request(call) if shown.scheme == "DPoP" else None)
            self.verifier.check(demand, claims)
        except InvalidToken as refusal:
            if shown.scheme == "DPoP":
                refusal.scheme = "DPoP"
            raise RefusedError(self.refuse(refusal, call.base_url, demand.scope)) from None
        return claims

    def _describe_request(self, call: Call) -> DpopRequest:
        """The request, by the URL that a proof must name. A proxy may change scheme and host, but not the path."""
        mount = call.base_url.partition("://")[2].partition("/")[2]
        url = call.base_url if self._origin is None else "/".join(filter(None, (self._origin, mount)))
        return DpopRequest(call.method, url + quote(call.path, safe="/:@!$&'()*+,;=~"), call.proof)

    def check_form(self, form: bytes, base_url: str) -> None:
        """Raise `RefusedError` if the body carries a second token, besides that of the header.

        Call it after `admit`, so that this server reads no body without a valid token.
        """
        if count_tokens(form.decode("latin-1")):
            raise RefusedError(self._refuse_several(base_url))

    def challenge(self, base_url: str, scope: str | None = None) -> Answer:
        """The answer to a request without credentials; it has no error code (RFC 6750 §3.1).

        `scope` is what the route demands, so that a client asks for no more (RFC 6750 §3).
        """
        challenge = self._point_to_metadata(_name_scope("Bearer", scope), base_url)
        return _answer(_UNAUTHORIZED, {}, ("WWW-Authenticate", challenge))

    def refuse(self, refusal: InvalidToken, base_url: str, scope: str | None = None) -> Answer:
        """The answer to a request whose token is refused; `scope` as in `challenge`."""
        body = {"error": refusal.error, "error_description": refusal.description, "soft_logout": refusal.soft_logout}
        challenge = refusal.www_authenticate
        if challenge is None:
            return _answer(refusal.status, body, ("Retry-After", f"{_RETRY_AFTER.get(refusal.code, 1):.0f}"))
        nonce = () if refusal.dpop_nonce is None else ((NONCE_HEADER, refusal.dpop_nonce),)
        challenge = self._point_to_metadata(_name_scope(challenge, scope), base_url)
        return _answer(refusal.status, body, ("WWW-Authenticate", challenge), *nonce)

    def describe(self, path: str) -> Answer | None:
        """The metadata of this resource server (RFC 9728 §2), if `path` is its path; otherwise None."""
        if self._resource is None or path not in {WELL_KNOWN, WELL_KNOWN + _path_of(self._resource)}:
            return None
        document = {
            "resource": self._resource,
            "authorization_servers": [self.verifier.issuer],
            "bearer_methods_supported": ["header"],
            "dpop_signing_alg_values_supported": list(SIGNING_ALGORITHMS),
        }
        headers = (("Cache-Control", "public, max-age=300"), ("Access-Control-Allow-Origin", "*"))
        return Answer(200, (("Content-Type", "application/json"), *headers), json.dumps(document).encode())

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths at which `describe` returns metadata."""
        if self._resource is None:
            return ()
        return tuple(dict.fromkeys((WELL_KNOWN, WELL_KNOWN + _path_of(self._resource))))

    def _refuse_several(self, base_url: str) -> Answer:
        """The answer to a request with more than one token (RFC 6750 §3.1)."""
        body: dict[str, object] = {"error": "invalid_request", "error_description": SEVERAL_TOKENS}
        challenge = self._point_to_metadata(SEVERAL_CHALLENGE, base_url)
        return _answer(_BAD_REQUEST, body, ("WWW-Authenticate", challenge))

    def _point_to_metadata(self, challenge: str, base_url: str) -> str:
        """Add the metadata URL to a challenge (RFC 9728 §5.1).

        The client's own name for this host is repeated to that client only, and only if it is a URL.
        """
        url = self._metadata_url
        if url is None and self.serves_metadata and self._resource is not None and _URL.match(base_url):
            url = base_url + WELL_KNOWN + _path_of(self._resource)
        if url is None:
            return challenge
        separator = " " if challenge == "Bearer" else ", "
        return f'{challenge}{separator}resource_metadata="{url}"'


def _name_scope(challenge: str, scope: str | None) -> str:
    """Add the scope to a challenge that does not name it yet."""
    if scope is None or ' scope="' in challenge:
        return challenge
    return f'{challenge}{" " if challenge == "Bearer" else ", "}scope="{scope}"'


def may_carry_token(content_type: str, content_length: str) -> bool:
    """Whether a body can carry a token (RFC 6750 §2.2) and is short enough to be read before the view reads it."""
    is_form = content_type.partition(";")[0].strip().lower() == FORM_TYPE
    is_measured = content_length.isascii() and content_length.isdigit() and len(content_length) < _LENGTH_MOST_DIGITS
    return is_form and is_measured and 0 < int(content_length) <= _FORM_MOST_BYTES


def _find_resource(audiences: frozenset[str]) -> str | None:
    found = [audience for audience in audiences if _URL.match(audience)]
    return found[0] if len(audiences) == len(found) == 1 else None


def _origin_of(resource: str) -> str:
    parts = urlsplit(resource)
    return f"{parts.scheme}://{parts.netloc}"


def _path_of(resource: str) -> str:
    """The path of the metadata: the path of the resource follows the well-known one (RFC 9728 §3.1)."""
    _, _, path = resource.partition("://")[2].partition("/")
    return f"/{path}".rstrip("/")


def _answer(status: int, body: dict[str, object], *headers: tuple[str, str]) -> Answer:
    always = (("Content-Type", "application/json"), ("Cache-Control", "no-store"))
    return Answer(status, (*always, *headers), json.dumps(body).encode())
