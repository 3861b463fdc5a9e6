"""Finds the access token of a request, and checks that there is only one (RFC 6750 §2, §3.1; RFC 9449 §7.1).

A token is taken from the `Authorization` header alone: in a query or a form it would end up in logs (RFC 9700 §4.3.2).
A token in the query or form still counts as a second one: two readers that look in different places would otherwise act
for two different users.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Literal
from urllib.parse import parse_qsl

FORM_TYPE: Final = "application/x-www-form-urlencoded"
"""The media type of a body that could carry a token (RFC 6750 §2.2)."""
SEVERAL_TOKENS: Final = "A request carries one access token, in the Authorization header."
SEVERAL_CHALLENGE: Final = 'Bearer error="invalid_request"'
Scheme = Literal["Bearer", "DPoP"]
_SCHEMES: Final[dict[str, Scheme]] = {"bearer": "Bearer", "dpop": "DPoP"}
_PARAMETER: Final = "access_token"


@dataclass(frozen=True, slots=True)
class Credentials:
    """The token of a request, unparsed and perhaps empty, and the scheme by which it is shown."""

    scheme: Scheme
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SeveralTokens:
    """The request carries more than one access token: `invalid_request`, status 400 (RFC 6750 §3.1)."""


def read_token(authorization: Iterable[str], *parameters: str) -> Credentials | SeveralTokens | None:
    """The credentials of the Bearer or DPoP scheme; None if there are none.

    Args:
        authorization: the values of the `Authorization` fields. A server may join several with commas (RFC 9110 §5.3),
            and no token holds a comma (RFC 6750 §2.1).
        parameters: the other places that could carry a token, form-encoded: the query, the body.
    """
    parts = [part.strip(" \t").partition(" ") for part in ",".join(authorization).split(",")]
    found = [
        Credentials(_SCHEMES[scheme.lower()], token.strip(" "))
        for scheme, _, token in parts
        if scheme.lower() in _SCHEMES
    ]
    named = sum(map(count_tokens, parameters))
    if len(found) + named > 1 or (found and len(parts) > 1):
        return SeveralTokens()
    return found[0] if found else None


def count_tokens(parameters: str) -> int:
    """The number of access tokens in form-encoded text. An empty parameter counts as absent (RFC 6749 §3.1)."""
    return sum(name == _PARAMETER for name, _ in parse_qsl(parameters)) if parameters else 0
