"""Who described a client: an operator, the client itself, or a document at its own URL.

Only what an operator described is trusted. The other two never become first-party and never get the scope `admin`, and
people are told that nobody checked them.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final


@dataclass(frozen=True, slots=True)
class ByOperator:
    """An operator registered the client."""

    name: ClassVar[str] = "operator"


@dataclass(frozen=True, slots=True)
class ByItself:
    """The client registered itself (RFC 7591).

    Attributes:
        management_digest: the SHA-256 of the token with which the client manages its registration (RFC 7592).
        scope_limit: the scopes of its initial access token, beyond which it can never ask for any.
    """

    name: ClassVar[str] = "dynamic"

    management_digest: bytes
    scope_limit: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ByDocument:
    """A document at the URL that is the client's id describes the client (OAuth Client ID Metadata Document).

    Attributes:
        changed_at: when its present description was first accepted by a user. An earlier consent was for another one.
    """

    name: ClassVar[str] = "document"

    changed_at: datetime


Provenance = ByOperator | ByItself | ByDocument

BY_OPERATOR: Final = ByOperator()
