"""The document of a client whose id is a URL (OAuth Client ID Metadata Document).

Pure: which ids are URLs of documents, how long a document may be remembered, and what it says. Section numbers are
those of draft-ietf-oauth-client-id-metadata-document-01.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from authserver.jose import strict_json
from authserver.jose.errors import InvalidJsonError
from authserver.protocol.client_metadata import AuthMethod, ClientKind
from authserver.protocol.oauth_error import OAuthError
from authserver.protocol.redirect_uri import find_fault
from authserver.records.client import Client
from authserver.records.client_metadata import FOR_DOCUMENT, SETTABLE, read_metadata
from authserver.records.provenance import ByDocument

LONGEST_URL: Final = 255
"""The id is in every token and in the revocation feed (§3: a short URL is recommended)."""

LONGEST_DOCUMENT: Final = 5 * 1024
"""Bytes (§6.6)."""

SHORTEST_AGE: Final = timedelta(minutes=1)
USUAL_AGE: Final = timedelta(minutes=5)
LONGEST_AGE: Final = timedelta(hours=1)
"""How long a document is remembered, at least, without a word about it, and at most (§4.4)."""

_LEFT_OUT: Final = frozenset(
    {
        *("logo_uri", "backchannel_logout_uri", "backchannel_logout_session_required"),
        *("id_token_signed_response_alg", "require_pushed_authorization_requests"),
    }
)
"""What a document says in vain. The logo of an unknown client could be anybody's, and could change at any time (§6.7).
Nobody is told of ends at a URL that a stranger wrote down (§6.5). Operators decide which algorithms have a key. And a
client cannot push its first request, because it has no row yet."""

DESCRIBED: Final = (SETTABLE - _LEFT_OUT) | {"offline_access"}
"""The attributes of a client by URL that its document decides. Scopes only within what the operator allows."""

_ABSENT: Final[Mapping[str, Any]] = {
    "scope": None,
    "post_logout_redirect_uris": (),
    "dpop_bound_access_tokens": False,
    **dict.fromkeys(("auth_method", "jwks", "jwks_uri")),
    **dict.fromkeys(("client_uri", "policy_uri", "tos_uri")),
}
"""What a document means that leaves a member out: it describes its client whole."""

_NOT_SHOWN: Final = frozenset({"scope", "jwks", "jwks_uri"})
"""What a consent is not about: scopes are compared by themselves, and a client that replaces its keys stays itself."""

_SHARED_SECRETS: Final = ("client_secret", "client_secret_expires_at")
_METHODS: Final = (AuthMethod.NONE.value, AuthMethod.PRIVATE_KEY_JWT.value)
_MAX_AGE: Final = re.compile(r'max-age="?([0-9]{1,9})"?\Z')
_JSON_TYPE: Final = re.compile(r"application/(?:[a-z0-9!#$&^_.-]+\+)?json\Z")


@dataclass(frozen=True, slots=True)
class Terms:
    """What clients by URL may have in this installation; an operator decides, because nobody else knows them.

    Attributes:
        scope: the scopes that they may ask for.
        audience: the resources that they may ask tokens for, beside the default audience.
    """

    scope: tuple[str, ...] = ()
    audience: tuple[str, ...] = ()

    def limit(self, client: Client) -> Client:
        """The client with what it may have now: an operator may have changed the terms since it was stored."""
        if not isinstance(client.provenance, ByDocument):
            return client
        scope = tuple(token for token in client.scope if token in self.scope)
        return replace(client, scope=scope, audience=self.audience)


NO_TERMS: Final = Terms()


@dataclass(frozen=True, slots=True)
class ClientDocument:
    """What a document says of its client.

    Attributes:
        settings: attribute → value, for what a document decides. `scope` is None where it names none.
    """

    url: str
    kind: ClientKind
    settings: Mapping[str, Any]
    refreshes: bool


def is_url(client_id: str) -> bool:
    """Whether this id, unlike those that the server makes, is the URL of a document."""
    return client_id.startswith(("https://", "http://"))


def find_url_fault(url: str) -> str | None:
    """Why `url` cannot be the id of a client, as the end of a sentence; None if it can (§3).

    A query is refused: an API that repeats parts of its query would lend its host to anybody's document. NOT checked:
    whether the host may be called.
    """
    if len(url) > LONGEST_URL:
        return f"has more than {LONGEST_URL} characters"
    fault = find_fault(url, ClientKind.PUBLIC)
    if fault is not None:
        return fault
    if "?" in url:
        return "has a query"
    return "has no path" if urlsplit(url).path in {"", "/"} else None


def read_host(url: str) -> str:
    """The host of the URL of a document: all that is certain about its client."""
    return urlsplit(url).hostname or ""


def name_client(client_id: str, name: str) -> str:
    """How a page names a client: one by URL with its host, because its name may be anybody's."""
    host = read_host(client_id) if is_url(client_id) else name
    return name if host == name else f"{name} ({host})"


def choose_age(headers: Mapping[str, str]) -> timedelta:
    """How long an answer with these headers (names in lower case) is remembered (RFC 9111 §5.2.2, §5.1)."""
    directives = [one.strip().lower() for one in headers.get("cache-control", "").split(",")]
    if "no-store" in directives or "no-cache" in directives:
        return SHORTEST_AGE
    stated = next((found for one in directives if (found := _MAX_AGE.match(one))), None)
    if stated is None:
        return USUAL_AGE
    spent = headers.get("age", "0")
    age = int(stated[1]) - (int(spent) if spent.isascii() and spent.isdigit() and len(spent) < len("1000000000") else 0)
    return min(max(timedelta(seconds=age), SHORTEST_AGE), LONGEST_AGE)


def read_document(url: str, status: int, headers: Mapping[str, str], body: bytes) -> ClientDocument | str:
    """Read the answer from `url`; or why it is no document of a client there (§4, §4.1)."""
    if status != 200:  # noqa: PLR2004 - OK
        return f"the status is {status}"
    if _JSON_TYPE.match(headers.get("content-type", "").partition(";")[0].strip().lower()) is None:
        return "the answer is no JSON by its Content-Type"
    try:
        members = strict_json.load_object(body)
    except InvalidJsonError as error:
        return f"the answer is no JSON object ({error})"
    return _read_members(url, members)


def describe(document: ClientDocument, terms: Terms, known: Client | None, now: datetime) -> Client:
    """The client as `document` describes it now.

    Args:
        document: what the client says.
        terms: what such a client may have.
        known: the stored client; what operators set for it stays, and so do its standing and its versions.
        now: the instant, for a client that is not stored.
    """
    blank = known or Client(
        name="",
        client_id=document.url,
        kind=document.kind,
        secret_digest=None,
        family_version=1,
        created_at=now,
        disabled_at=None,
        provenance=ByDocument(now),
    )
    said: dict[str, Any] = {**document.settings, "offline_access": document.refreshes}
    if said["scope"] is None:
        said["scope"] = terms.scope
    return terms.limit(replace(blank, kind=document.kind, **said))


def is_same_description(one: Client, other: Client) -> bool:
    """Whether a user who allowed one has allowed the other."""
    return one.kind is other.kind and all(one.of(name) == other.of(name) for name in DESCRIBED - _NOT_SHOWN)


def _read_members(url: str, members: Mapping[str, object]) -> ClientDocument | str:
    if members.get("client_id") != url:
        return "client_id is not the URL of the document"
    if any(name in members for name in _SHARED_SECRETS):
        return "the document holds a shared secret"
    method = members.get("token_endpoint_auth_method", AuthMethod.NONE.value)
    if method not in _METHODS:
        return f"token_endpoint_auth_method is not {' or '.join(_METHODS)}"
    said = {name: value for name, value in members.items() if name not in _LEFT_OUT}
    metadata = read_metadata({**said, "client_name": said.get("client_name") or read_host(url)}, FOR_DOCUMENT)
    if isinstance(metadata, OAuthError):
        return f"{metadata.error}: {metadata.description}"
    if metadata.kind.is_public and method != AuthMethod.NONE.value:
        # A registration is answered with what the client got. Here nothing could tell it that its keys do not count.
        return "a native application has no keys"
    return ClientDocument(url, metadata.kind, {**_ABSENT, **metadata.settings}, metadata.refreshes)
