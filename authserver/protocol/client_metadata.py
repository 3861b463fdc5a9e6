"""The terms that describe a registered client (RFC 7591 §2, RFC 8252)."""

from enum import Enum
from typing import Final

from authserver.protocol.device_code import DEVICE_GRANT

CLIENT_CREDENTIALS: Final = "client_credentials"
TOKEN_PATH: Final = "/oauth/token"  # noqa: S105 - a path
ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
"""The `client_assertion_type` of `private_key_jwt` (RFC 7523 §2.2)."""


class ClientKind(Enum):
    """The kind of a client. It decides how the client authenticates and which grants it may use."""

    PUBLIC = "public"
    CONFIDENTIAL = "confidential"
    NATIVE = "native"
    DEVICE = "device"
    SERVICE = "service"
    RESOURCE_SERVER = "resource-server"

    @property
    def is_public(self) -> bool:
        """Whether the client cannot keep a secret (RFC 6749 §2.1)."""
        return self in _PUBLIC

    @property
    def grant_types(self) -> frozenset[str]:
        """The grants that the client may use at the token endpoint."""
        return _GRANT_TYPES[self]


class AuthMethod(Enum):
    """How a client authenticates (OpenID Connect Core §9), under the names of `token_endpoint_auth_method`."""

    NONE = "none"
    CLIENT_SECRET_BASIC = "client_secret_basic"  # noqa: S105 - a name
    CLIENT_SECRET_POST = "client_secret_post"  # noqa: S105 - a name
    PRIVATE_KEY_JWT = "private_key_jwt"


SECRET_METHODS: Final = frozenset({AuthMethod.CLIENT_SECRET_BASIC, AuthMethod.CLIENT_SECRET_POST})


class ConsentRule(Enum):
    """When the user is asked for consent.

    For a native client the user is asked every time under any rule: another program may pass for it (RFC 8252 §8.6).
    """

    REMEMBER = "remember"
    ALWAYS = "always"
    NEVER = "never"


class PkceRule(Enum):
    """Whether each authorization request of a client must have a `code_challenge` (RFC 7636).

    `OPTIONAL` is for confidential clients whose library sends none. Such a request then needs a `nonce` and the scope
    `openid` instead, with which the client detects an injected code (OAuth 2.1 §7.5.1). `WAIVED` is for confidential
    clients that send neither, as OpenID Connect Core §3.1.2.1 allows and OAuth 2.1 does not: nothing protects their
    codes (decision 60).
    """

    REQUIRED = "required"
    OPTIONAL = "optional"
    WAIVED = "waived"


_PUBLIC = frozenset({ClientKind.PUBLIC, ClientKind.NATIVE, ClientKind.DEVICE})
_REFRESH = frozenset({"refresh_token"})
_REDIRECT = _REFRESH | {"authorization_code"}
_GRANT_TYPES = {
    ClientKind.PUBLIC: _REDIRECT,
    ClientKind.CONFIDENTIAL: _REDIRECT,
    ClientKind.NATIVE: _REDIRECT,
    ClientKind.DEVICE: _REFRESH | {DEVICE_GRANT},
    ClientKind.SERVICE: frozenset({CLIENT_CREDENTIALS}),
    ClientKind.RESOURCE_SERVER: frozenset[str](),
}
