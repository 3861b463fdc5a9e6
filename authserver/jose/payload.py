"""Reads the claims of a JWT with their JSON types (RFC 7519 §4); `TokenRejected` if one is missing or mistyped.

`read_…` requires a claim; `find_…` allows it to be absent; null does not count as absent. Does NOT check the signature:
the caller has done so.
"""

from collections.abc import Mapping

from authserver.jose import strict_json
from authserver.jose.errors import InvalidJsonError, TokenRejected
from authserver.jose.jws import CompactJws

Payload = Mapping[str, object]


def read_payload(jws: CompactJws) -> Payload:
    """The members of the payload, which must be one strict JSON object."""
    try:
        return strict_json.load_object(jws.payload)
    except InvalidJsonError:
        raise TokenRejected("malformed", "the payload is not strict JSON") from None


def check_issuer(payload: Payload, issuer: str) -> None:
    """Refuse a payload whose `iss` is not exactly `issuer`."""
    if read_text(payload, "iss") != issuer:
        raise TokenRejected("wrong_issuer", "iss is not the expected issuer")


def read_text(payload: Payload, name: str) -> str:
    """Read a required text that is not empty."""
    value = _read(payload, name)
    if not isinstance(value, str) or not value:
        raise TokenRejected("invalid_claim", name)
    return value


def read_integer(payload: Payload, name: str) -> int:
    """Read a required integer, 0 or more."""
    value = _read(payload, name)
    if type(value) is not int or value < 0:  # a bool is an int, too
        raise TokenRejected("invalid_claim", name)
    return value


def read_texts(payload: Payload, name: str) -> tuple[str, ...]:
    """Read a required array of texts."""
    values = _read(payload, name)
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise TokenRejected("invalid_claim", name)
    return tuple(values)


def find_text(payload: Payload, name: str) -> str | None:
    """Read a text that is not empty; None if the claim is absent."""
    return read_text(payload, name) if name in payload else None


def find_integer(payload: Payload, name: str) -> int | None:
    """Read an integer, 0 or more; None if the claim is absent."""
    return read_integer(payload, name) if name in payload else None


def find_texts(payload: Payload, name: str) -> tuple[str, ...]:
    """Read an array of texts; empty if the claim is absent."""
    return read_texts(payload, name) if name in payload else ()


def _read(payload: Payload, name: str) -> object:
    if name not in payload:
        raise TokenRejected("missing_claim", name)
    return payload[name]
