"""What operators set for a client. Each attribute is declared here, and only here.

From the declaration derive the values in a registration and in a stored client, the option of `clients create` and
`clients update`, what `clients show` prints, and the check of its values; a test holds `docs/clients.md` to it. Beside
it stand the column (`storage/schema/clients.py`), because a migration adds it, and rules that compare several
attributes (`records/client_rules.py`).
"""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field, fields
from datetime import timedelta
from types import MappingProxyType
from typing import Annotated, Final, get_type_hints

from authserver.jose.algorithms import ALGORITHMS
from authserver.protocol.client_metadata import AuthMethod, ConsentRule, PkceRule
from authserver.protocol.redirect_uri import find_fault, find_origin_fault
from authserver.protocol.resource import find_resource_fault
from authserver.records.client_attribute import (
    Address,
    Attribute,
    CalledAddress,
    Choice,
    ClaimTable,
    KeySet,
    Length,
    Line,
    Name,
    ScopeTable,
    ScopeWords,
    Switch,
    Words,
)
from authserver.records.scope_texts import ScopeTexts

_NAME_LENGTH: Final = 200


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """The attributes of a client that operators set and change. `--help` and `show` have this order."""

    name: Annotated[
        str,
        Attribute(Line(_NAME_LENGTH), "The name that users see when they sign in.", metadata="client_name"),
    ]
    _: KW_ONLY
    first_party: Annotated[
        bool,
        Attribute(Switch(), "Your own application: may ask for e-mail addresses and passwords."),
    ] = False
    scope: Annotated[
        tuple[str, ...],
        Attribute(ScopeWords(), "Scopes that it may ask for, separated by spaces.", metadata="scope"),
    ] = ()
    audience: Annotated[
        tuple[str, ...],
        Attribute(
            Words(lambda uri, _: find_resource_fault(uri)), "Resource that it may ask tokens for, an absolute URI."
        ),
    ] = ()
    redirect_uris: Annotated[
        tuple[str, ...],
        Attribute(
            Words(find_fault),
            "Redirect URI after signing in; compared exactly.",
            each="redirect_uri",
            metadata="redirect_uris",
        ),
    ] = ()
    post_logout_redirect_uris: Annotated[
        tuple[str, ...],
        Attribute(
            Words(find_fault),
            "Redirect URI after signing out.",
            each="post_logout_redirect_uri",
            metadata="post_logout_redirect_uris",
        ),
    ] = ()
    origins: Annotated[
        tuple[str, ...],
        Attribute(
            Words(lambda origin, _: find_origin_fault(origin)),
            "Browser origin that may call this server, https://app.example.",
            each="origin",
        ),
    ] = ()
    consent: Annotated[
        ConsentRule | None,
        Attribute(
            Choice(ConsentRule), "When users are asked. Never is only for first-party clients, and is their default."
        ),
    ] = None
    offline_access: Annotated[
        bool,
        Attribute(Switch(), "Give refresh tokens also without the scope offline_access."),
    ] = False
    require_pushed_authorization_requests: Annotated[
        bool,
        Attribute(
            Switch(),
            "Take only authorization requests that it has pushed (RFC 9126).",
            metadata="require_pushed_authorization_requests",
        ),
    ] = False
    pairwise: Annotated[
        bool,
        Attribute(Switch(), "Give each user and session an id that only this client sees.", has_column=False),
    ] = False
    dpop_bound_access_tokens: Annotated[
        bool,
        Attribute(Switch(), "Demand a DPoP proof with each request for tokens.", metadata="dpop_bound_access_tokens"),
    ] = False
    access_token_lifetime: Annotated[
        timedelta | None,
        Attribute(Length(), "Lifetime of access tokens; at most the installation's."),
    ] = None
    refresh_idle_lifetime: Annotated[
        timedelta | None,
        Attribute(Length(), "Lifetime of refresh tokens without use; at most the installation's."),
    ] = None
    refresh_absolute_lifetime: Annotated[
        timedelta | None,
        Attribute(Length(), "Lifetime of refresh tokens in use; at most the installation's."),
    ] = None
    retry_window: Annotated[
        timedelta | None,
        Attribute(Length(), "How long a used refresh token still returns its successor. 0: not at all."),
    ] = None
    late_retry_window: Annotated[
        timedelta | None,
        Attribute(Length(), "How long it does so once more, recorded. 0: not at all."),
    ] = None
    client_credentials: Annotated[
        bool,
        Attribute(Switch(), "Give a confidential client tokens of its own, too, without a user."),
    ] = False
    auth_method: Annotated[
        AuthMethod | None,
        Attribute(
            Choice(AuthMethod),
            "How it authenticates. Default: by its keys if it has some, or else by its secret in either way.",
            metadata="token_endpoint_auth_method",
        ),
    ] = None
    jwks: Annotated[
        str | None,
        Attribute(KeySet(), "File with its public keys, a JWK Set.", metadata="jwks"),
    ] = None
    jwks_uri: Annotated[
        str | None,
        Attribute(CalledAddress(), "https URL of its public keys, a JWK Set.", metadata="jwks_uri"),
    ] = None
    backchannel_logout_uri: Annotated[
        str | None,
        Attribute(
            CalledAddress(),
            "https URL that is told when the session of a user has ended.",
            metadata="backchannel_logout_uri",
        ),
    ] = None
    backchannel_logout_session_required: Annotated[
        bool,
        Attribute(
            Switch(),
            "It needs sid in logout tokens, which always have it.",
            metadata="backchannel_logout_session_required",
        ),
    ] = False
    logo_uri: Annotated[
        str | None,
        Attribute(Address(), "https URL of its logo, shown on the consent page.", metadata="logo_uri"),
    ] = None
    client_uri: Annotated[
        str | None,
        Attribute(Address(), "URL of its home page, shown on the consent page, too.", metadata="client_uri"),
    ] = None
    policy_uri: Annotated[
        str | None,
        Attribute(Address(), "URL of its privacy policy.", metadata="policy_uri"),
    ] = None
    tos_uri: Annotated[
        str | None,
        Attribute(Address(), "URL of its terms of service.", metadata="tos_uri"),
    ] = None
    scope_texts: Annotated[
        ScopeTexts,
        Attribute(
            ScopeTable(),
            "Description of a scope for this client, SCOPE=TEXT; SCOPE#de=TEXT in German.",
            each="scope_text",
        ),
    ] = field(default_factory=dict)
    id_token_signed_response_alg: Annotated[
        str | None,
        Attribute(
            Name(tuple(algorithm.name for algorithm in ALGORITHMS)),
            "Algorithm of its ID tokens; the key is made if there is none.",
            each="id_token_alg",
            metadata="id_token_signed_response_alg",
        ),
    ] = None
    id_token_claims: Annotated[
        bool,
        Attribute(Switch(), "Put name and e-mail address into ID tokens, as far as the scope allows."),
    ] = False
    claim_names: Annotated[
        Mapping[str, str],
        Attribute(
            ClaimTable(),
            "Claim that holds the user's roles in all its tokens and at userinfo: groups=roles.",
            each="claim",
        ),
    ] = field(default_factory=dict)
    pkce: Annotated[
        PkceRule,
        Attribute(
            Choice(PkceRule),
            "Whether it must send a code_challenge. If confidential: a nonce instead, or neither (waived: unsafe).",
        ),
    ] = PkceRule.REQUIRED

    def of(self, name: str) -> object:
        """The value of the attribute `name`, a key of `ATTRIBUTES`, in the form that is declared there."""
        return getattr(self, name)


def _read_declarations() -> Mapping[str, Attribute]:
    hints = get_type_hints(ClientSettings, include_extras=True)
    return MappingProxyType({one.name: hints[one.name].__metadata__[0] for one in fields(ClientSettings)})


ATTRIBUTES: Final = _read_declarations()
"""Name → declaration, in the order of `ClientSettings`."""
