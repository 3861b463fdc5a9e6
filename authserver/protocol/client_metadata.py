"""Words that describe a registered client (RFC 7591 §2, RFC 8252)."""

from enum import Enum


class ClientKind(Enum):
    """What a client is, which decides how it authenticates and which grants it may use."""

    PUBLIC = "public"
    CONFIDENTIAL = "confidential"
    NATIVE = "native"
    DEVICE = "device"
    RESOURCE_SERVER = "resource-server"

    @property
    def is_public(self) -> bool:
        """Whether the client cannot keep a secret (RFC 6749 §2.1)."""
        return self in {ClientKind.PUBLIC, ClientKind.NATIVE, ClientKind.DEVICE}

    @property
    def grant_types(self) -> frozenset[str]:
        """The grants that the client may use at the token endpoint."""
        return frozenset() if self is ClientKind.RESOURCE_SERVER else frozenset({"refresh_token"})
