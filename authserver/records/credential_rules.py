"""The rules on how a client authenticates: its method and its keys.

Pure, so whether a `jwks_uri` may be called is checked elsewhere (`outbound`).
"""

from collections.abc import Iterator
from typing import Final

from authserver.jose.client_jwks import find_jwks_fault
from authserver.protocol.client_metadata import AuthMethod, ClientKind
from authserver.records.client_settings import ClientSettings
from authserver.records.field_error import FieldError

_COMBINATION: Final = "invalid_combination"


def choose_auth_method(settings: ClientSettings) -> AuthMethod | None:
    """Choose how the client authenticates: as requested; without a wish, by its keys, if it has some.

    None: by a secret, in the header or in the form.
    """
    has_keys = settings.jwks is not None or settings.jwks_uri is not None
    return AuthMethod.PRIVATE_KEY_JWT if settings.auth_method is None and has_keys else settings.auth_method


def has_secret(settings: ClientSettings, kind: ClientKind) -> bool:
    """Whether a client of this kind authenticates by a secret."""
    return not kind.is_public and choose_auth_method(settings) is not AuthMethod.PRIVATE_KEY_JWT


def find_credential_errors(settings: ClientSettings, kind: ClientKind) -> Iterator[FieldError]:
    """Find all errors of these rules."""
    if kind.is_public:
        yield from _find_public_errors(settings)
    else:
        yield from _find_method_errors(settings)
    fault = None if settings.jwks is None else find_jwks_fault(settings.jwks)
    if fault is not None:
        yield FieldError("jwks", "invalid_jwks", f"The set of keys {fault}.")


def _find_public_errors(settings: ClientSettings) -> Iterator[FieldError]:
    if settings.auth_method not in {None, AuthMethod.NONE}:
        yield FieldError("auth_method", _COMBINATION, "A public client does not authenticate.")
    if settings.jwks is not None or settings.jwks_uri is not None:
        yield FieldError("jwks", _COMBINATION, "A public client has no keys.")


def _find_method_errors(settings: ClientSettings) -> Iterator[FieldError]:
    method, has_keys = choose_auth_method(settings), settings.jwks is not None or settings.jwks_uri is not None
    if method is AuthMethod.NONE:
        yield FieldError("auth_method", _COMBINATION, "Only a public client does not authenticate.")
    if method is AuthMethod.PRIVATE_KEY_JWT and not has_keys:
        yield FieldError("jwks", _COMBINATION, "private_key_jwt needs the client's public keys, or their jwks_uri.")
    if method is not AuthMethod.PRIVATE_KEY_JWT and has_keys:
        yield FieldError("auth_method", _COMBINATION, "A client with keys authenticates by private_key_jwt.")
    if settings.jwks is not None and settings.jwks_uri is not None:
        yield FieldError("jwks_uri", _COMBINATION, "A client has either keys or a jwks_uri (RFC 7591 §2).")
