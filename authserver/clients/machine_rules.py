"""The rules on what a client that acts for itself may have."""

from collections.abc import Iterator
from typing import Final

from authserver.protocol.client_metadata import ClientKind
from authserver.records.client_settings import ClientSettings
from authserver.records.field_error import FieldError
from authserver.sessions.scope import SCOPES_OF_USERS

_COMBINATION: Final = "invalid_combination"
_CREDENTIALED: Final = frozenset({ClientKind.CONFIDENTIAL, ClientKind.SERVICE})


def find_machine_errors(settings: ClientSettings, kind: ClientKind) -> Iterator[FieldError]:
    """Find all errors of these rules."""
    if settings.client_credentials and kind not in _CREDENTIALED:
        message = "Only a confidential client can have it; a service has it always."
        yield FieldError("client_credentials", _COMBINATION, message)
    if kind is ClientKind.SERVICE:
        yield from _find_service_errors(settings)


def _find_service_errors(settings: ClientSettings) -> Iterator[FieldError]:
    """A service has no users, so nothing that is about them is its."""
    wrong = [scope for scope in settings.scope if scope in SCOPES_OF_USERS]
    if wrong:
        yield FieldError("scope", _COMBINATION, f"A service has no users, so it cannot have {' or '.join(wrong)}.")
    for name, is_set in (
        ("first_party", settings.first_party),
        ("offline_access", settings.offline_access),
        ("pairwise", settings.pairwise),
        ("origin", bool(settings.origins)),
    ):
        if is_set:
            yield FieldError(name, _COMBINATION, "A service has no users.")
