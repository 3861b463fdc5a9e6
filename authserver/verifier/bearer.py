"""Bearer tokens in HTTP requests, as every adapter for a framework needs them (RFC 6750, 9470, 9728).

What a refusal looks like, and the metadata with which a client finds the issuer. Knows no
framework: an adapter turns an `Answer` into what its framework sends.
"""

import json
import re
from dataclasses import dataclass

from authserver.protocol.bearer_request import (
    FORM_TYPE,
    SEVERAL_CHALLENGE,
    SEVERAL_TOKENS,
    SeveralTokens,
    count_tokens,
)
from authserver.protocol.claims import AccessTokenClaims
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
    """What to send instead of what was asked for."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


class RefusedError(Exception):
    """A request that goes no further; `answer` is for the client."""

    def __init__(self, answer: Answer) -> None:
        """Keep `answer`."""
        super().__init__(answer.status)
        self.answer = answer


class BearerGuard:
    """Lets requests with good tokens through, and tells the others why not.

    Args:
        verifier: says which tokens are good.
        resource: the URL that clients know this resource server by (RFC 9728 §1.2). Default: the audience, if the
            verifier has exactly one and it is a URL; else no metadata are served.
        metadata_url: where clients find the metadata, if that is not at the host that they asked, as behind a proxy
            which changes it.
    """

    def __init__(self, verifier: Verifier, *, resource: str | None = None, metadata_url: str | None = None) -> None:
        """Refuse with `ValueError` what could not stand in a challenge."""
        for url in (resource, metadata_url):
            if url is not None and not _URL.match(url):
                raise ValueError("resource and metadata_url are http or https URLs")
        self.verifier = verifier
        self.serves_metadata = False
        """Set by an adapter that hands out what `describe` says; before, no challenge points there."""
        self._resource = _find_resource(verifier.audiences) if resource is None else resource
        self._metadata_url = metadata_url

    def admit(self, token: str | SeveralTokens | None, demand: Demand, base_url: str) -> AccessTokenClaims:
        """The claims of a good token that meets `demand`, or `RefusedError`. May wait: see `Verifier.verify_at_once`.

        `token`: what `read_token` says of header and query. `base_url`: scheme, host and mount of the request, without
        a slash at the end. Where `may_carry_token` says so, `check_form` comes next.
        """
        if isinstance(token, SeveralTokens):
            raise RefusedError(self._refuse_several(base_url))
        if token is None:
            raise RefusedError(self.challenge(base_url))
        try:
            claims = self.verifier.verify(token)
            self.verifier.check(demand, claims)
        except InvalidToken as refusal:
            raise RefusedError(self.refuse(refusal, base_url)) from None
        return claims

    def check_form(self, form: bytes, base_url: str) -> None:
        """`RefusedError` if the body carries a token, beside that of the header.

        Comes after `admit`, so that nobody without a good token makes this server read a body.
        """
        if count_tokens(form.decode("latin-1")):
            raise RefusedError(self._refuse_several(base_url))

    def challenge(self, base_url: str) -> Answer:
        """To a request without credentials: no error code either (RFC 6750 §3.1)."""
        return _answer(_UNAUTHORIZED, {}, ("WWW-Authenticate", self._point_to_metadata("Bearer", base_url)))

    def refuse(self, refusal: InvalidToken, base_url: str) -> Answer:
        """To a request whose token is refused."""
        body = {"error": refusal.error, "error_description": refusal.description, "soft_logout": refusal.soft_logout}
        challenge = refusal.www_authenticate
        if challenge is None:
            return _answer(refusal.status, body, ("Retry-After", f"{_RETRY_AFTER.get(refusal.code, 1):.0f}"))
        return _answer(refusal.status, body, ("WWW-Authenticate", self._point_to_metadata(challenge, base_url)))

    def describe(self, path: str) -> Answer | None:
        """The metadata of this resource server (RFC 9728 §2), if `path` is where they belong."""
        if self._resource is None or path not in {WELL_KNOWN, WELL_KNOWN + _path_of(self._resource)}:
            return None
        document = {
            "resource": self._resource,
            "authorization_servers": [self.verifier.issuer],
            "bearer_methods_supported": ["header"],
        }
        headers = (("Cache-Control", "public, max-age=300"), ("Access-Control-Allow-Origin", "*"))
        return Answer(200, (("Content-Type", "application/json"), *headers), json.dumps(document).encode())

    @property
    def paths(self) -> tuple[str, ...]:
        """Where `describe` has something to say."""
        if self._resource is None:
            return ()
        return tuple(dict.fromkeys((WELL_KNOWN, WELL_KNOWN + _path_of(self._resource))))

    def _refuse_several(self, base_url: str) -> Answer:
        """RFC 6750 §3.1."""
        body: dict[str, object] = {"error": "invalid_request", "error_description": SEVERAL_TOKENS}
        challenge = self._point_to_metadata(SEVERAL_CHALLENGE, base_url)
        return _answer(_BAD_REQUEST, body, ("WWW-Authenticate", challenge))

    def _point_to_metadata(self, challenge: str, base_url: str) -> str:
        """RFC 9728 §5.1. What a client calls this host is repeated to that client only, and only if it is a URL."""
        url = self._metadata_url
        if url is None and self.serves_metadata and self._resource is not None and _URL.match(base_url):
            url = base_url + WELL_KNOWN + _path_of(self._resource)
        if url is None:
            return challenge
        separator = " " if challenge == "Bearer" else ", "
        return f'{challenge}{separator}resource_metadata="{url}"'


def may_carry_token(content_type: str, content_length: str) -> bool:
    """Whether a body can carry a token (RFC 6750 §2.2) and is short enough to be read before the view reads it."""
    is_form = content_type.partition(";")[0].strip().lower() == FORM_TYPE
    is_measured = content_length.isascii() and content_length.isdigit() and len(content_length) < _LENGTH_MOST_DIGITS
    return is_form and is_measured and 0 < int(content_length) <= _FORM_MOST_BYTES


def _find_resource(audiences: frozenset[str]) -> str | None:
    found = [audience for audience in audiences if _URL.match(audience)]
    return found[0] if len(audiences) == len(found) == 1 else None


def _path_of(resource: str) -> str:
    """RFC 9728 §3.1: the path of the resource comes after the well-known one."""
    _, _, path = resource.partition("://")[2].partition("/")
    return f"/{path}".rstrip("/")


def _answer(status: int, body: dict[str, object], *headers: tuple[str, str]) -> Answer:
    always = (("Content-Type", "application/json"), ("Cache-Control", "no-store"))
    return Answer(status, (*always, *headers), json.dumps(body).encode())
