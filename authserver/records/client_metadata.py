"""Client metadata that a client brings itself, in a registration or in a document (RFC 7591 §2). Pure.

Nothing in it is trusted. A client can describe itself by the attributes in `SETTABLE` and by nothing else; a member
that is unknown here has no effect (RFC 7591 §2). What an operator decides (whether it is first-party, its origins,
audience and windows, its grants beside the code) has no name in metadata.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, assert_never
from urllib.parse import urlsplit

from authserver.protocol.client_metadata import AuthMethod, ClientKind
from authserver.protocol.oauth_error import OAuthError
from authserver.records import client_rules
from authserver.records.client import Client
from authserver.records.client_attribute import (
    Address,
    CalledAddress,
    Choice,
    ClaimTable,
    Form,
    KeySet,
    Length,
    Line,
    Name,
    ScopeTable,
    ScopeWords,
    Switch,
    Words,
)
from authserver.records.client_settings import ATTRIBUTES, ClientSettings
from authserver.records.credential_rules import find_credential_errors
from authserver.records.field_error import FieldError

SETTABLE: Final = frozenset(
    {
        "name",
        "scope",
        "auth_method",
        "jwks",
        "jwks_uri",
        "redirect_uris",
        "post_logout_redirect_uris",
        "dpop_bound_access_tokens",
        "require_pushed_authorization_requests",
        "id_token_signed_response_alg",
        "backchannel_logout_uri",
        "backchannel_logout_session_required",
        "logo_uri",
        "client_uri",
        "policy_uri",
        "tos_uri",
    }
)
"""The attributes that a client may set for itself. A new attribute is not among them until it is added here."""

MOST_VALUES: Final = 20
"""The limit of values in one array."""

CODE_GRANT: Final = "authorization_code"
REFRESH_GRANT: Final = "refresh_token"
NATIVE: Final = "native"
WEB: Final = "web"
_KEYS: Final = frozenset({"jwks", "jwks_uri"})


@dataclass(frozen=True, slots=True)
class Defaults:
    """What absent members mean. Without an `application_type`, the redirect URIs decide.

    Attributes:
        auth_method: None means a secret, in the header or in the form.
        application_type: `native` or `web`.
    """

    auth_method: AuthMethod | None
    application_type: str | None = None


FOR_REGISTRATION: Final = Defaults(None)
"""RFC 7591 §2, where the default is `client_secret_basic`."""

FOR_DOCUMENT: Final = Defaults(AuthMethod.NONE)
"""A document has no way to a shared secret, so that the default of RFC 7591 cannot be meant."""


def defaults_of(client: Client) -> Defaults:
    """For a registration that is updated: the client keeps its kind and its method."""
    method = AuthMethod.NONE if client.kind.is_public else client.auth_method
    return Defaults(method, NATIVE if client.kind is ClientKind.NATIVE else WEB)


@dataclass(frozen=True, slots=True)
class ClientMetadata:
    """What a client says of itself, after the checks that need no look at the installation.

    Attributes:
        kind: follows from `token_endpoint_auth_method` and `application_type`.
        settings: attribute → value, for those in `SETTABLE` that have one; always a name.
        refreshes: whether it registers for refresh tokens.
    """

    kind: ClientKind
    settings: Mapping[str, Any]
    refreshes: bool


def read_metadata(members: Mapping[str, object], defaults: Defaults) -> ClientMetadata | OAuthError:
    """Read and check metadata; the first error that is found, with a code of RFC 7591 §3.2.2.

    A member that is null or empty counts as absent (RFC 7592 §2.2).
    """
    given = {name: value for name, value in members.items() if value not in (None, "", [])}
    if "software_statement" in given:
        return OAuthError("unapproved_software_statement", "Software statements are not accepted here.", "")
    try:
        grants = _read_words(given, "grant_types", (CODE_GRANT,))
        responses = _read_words(given, "response_types", ("code",))
        settings = _read_settings(given)
        redirect_uris: tuple[str, ...] = settings.get("redirect_uris", ())
        method = _read_method(given, defaults)
        kind = _choose_kind(given, redirect_uris, method, defaults)
    except ValueError as fault:
        return _invalid(str(fault))
    if CODE_GRANT not in grants or "code" not in responses:
        return _invalid("grant_types must hold authorization_code, and response_types code")
    if not redirect_uris:
        return OAuthError("invalid_redirect_uri", "redirect_uris must hold at least one URI.", "")
    settings.setdefault("name", urlsplit(redirect_uris[0]).hostname or "")
    if not kind.is_public:
        settings["auth_method"] = method
    if kind.is_public or method is not AuthMethod.PRIVATE_KEY_JWT:
        # Such a client has no use for keys here; it may have published them for another server (RFC 7591 §2).
        settings = {name: value for name, value in settings.items() if name not in _KEYS}
    # The rules of the kind with the fewest rights: no private-use scheme, also for a native client (any program on a
    # device may claim one).
    said = ClientSettings(**settings)
    problem = find_problem((*client_rules.find_errors(said, ClientKind.PUBLIC), *find_credential_errors(said, kind)))
    return problem or ClientMetadata(kind, settings, REFRESH_GRANT in grants)


def find_problem(errors: Iterable[FieldError]) -> OAuthError | None:
    """The first of `errors` as the endpoint says it."""
    return next(map(_refuse, errors), None)


def _read_settings(given: Mapping[str, object]) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    for name, attribute in ATTRIBUTES.items():
        member = attribute.metadata or ""
        if name in SETTABLE and name != "auth_method" and member in given:
            settings[name] = _read(attribute.form, member, given[member])
    return settings


def _read(  # noqa: C901, PLR0911 - a line or two for each form
    form: Form,
    name: str,
    value: Any,  # noqa: ANN401 - as its form says
) -> object:
    match form:
        case Line() | CalledAddress():
            return _demand(name, value, str)  # whether a URL may be called is for `find_errors` of the installation
        case Words():
            return _read_array(name, value)
        case ScopeWords():
            return _bound(name, tuple(_demand(name, value, str).split()))
        case Address():
            if not _demand(name, value, str).startswith("https://"):
                raise ValueError(f"{name} must be an https URL")
            return value
        case Switch():
            return _demand(name, value, bool)
        case Name(of):
            if value not in of:
                raise ValueError(f"{name} must be one of {', '.join(of)}")
            return value
        case KeySet():
            return json.dumps(_demand(name, value, dict), separators=(",", ":"))
        case Choice() | Length() | ScopeTable() | ClaimTable():
            raise TypeError(f"no client sets {name}")
        case _ as never:
            assert_never(never)


def _read_words(given: Mapping[str, object], name: str, default: tuple[str, ...]) -> tuple[str, ...]:
    return _read_array(name, given[name]) if name in given else default


def _read_array(name: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ValueError(f"{name} must be an array of strings")
    return _bound(name, tuple(value))


def _bound(name: str, values: tuple[str, ...]) -> tuple[str, ...]:
    if len(values) > MOST_VALUES:
        raise ValueError(f"{name} must hold at most {MOST_VALUES} values")
    return values


def _demand(name: str, value: object, form: type) -> Any:  # noqa: ANN401 - of the type that is asked for
    if type(value) is not form:
        raise ValueError(f"{name} has a value of the wrong type")
    return value


def _read_method(given: Mapping[str, object], defaults: Defaults) -> AuthMethod | None:
    name = "token_endpoint_auth_method"
    if name not in given:
        return defaults.auth_method
    found = next((method for method in AuthMethod if method.value == given[name]), None)
    if found is None:
        raise ValueError(f"{name} must be one of {', '.join(method.value for method in AuthMethod)}")
    return found


def _choose_kind(
    given: Mapping[str, object], redirect_uris: tuple[str, ...], method: AuthMethod | None, defaults: Defaults
) -> ClientKind:
    application = given.get("application_type", defaults.application_type)
    if application not in (None, NATIVE, WEB):
        raise ValueError("application_type must be native or web")
    if application == NATIVE:
        return ClientKind.NATIVE  # cannot keep a secret (RFC 8252 §8.5), so that it gets none
    if method is not AuthMethod.NONE:
        return ClientKind.CONFIDENTIAL
    is_local = application is None and any(uri.startswith("http://") for uri in redirect_uris)
    return ClientKind.NATIVE if is_local else ClientKind.PUBLIC


def _refuse(error: FieldError) -> OAuthError:
    if error.field == "redirect_uri":
        return OAuthError("invalid_redirect_uri", _say(f"redirect_uris: {error.message}"), error.code)
    attribute = ATTRIBUTES.get(error.field)
    return _invalid(f"{(attribute and attribute.metadata) or error.field}: {error.message}", error.code)


def _invalid(sentence: str, reason: str = "") -> OAuthError:
    return OAuthError("invalid_client_metadata", _say(sentence), reason)


def _say(sentence: str) -> str:
    """The sentence in the characters that RFC 6749 §5.2 admits: it may repeat what the client sent."""
    plain = "".join(one if " " <= one <= "~" and one not in '"\\' else "?" for one in sentence)
    return plain if plain.endswith(".") else f"{plain}."
