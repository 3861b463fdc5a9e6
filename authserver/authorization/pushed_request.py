"""Pushed authorization requests (RFC 9126): a client hands its request over first and sends the browser with a name.

What is pushed is validated like a request that a browser brings, at the push and once more at each evaluation. It stays
in the database for as long as the interaction may take, so nothing of it appears in an address. One interaction opens
it. That one may be reloaded in the browser in which it began, because only that browser has its cookie.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlencode

from authserver.authorization.outcomes import Spent, Unredirectable
from authserver.authorization.pending_request import PendingRequest
from authserver.authorization.request import ClientRequest, validate_request
from authserver.protocol.authorization_request import read_parameters
from authserver.protocol.dpop_request import WITHOUT_PROOF, DpopRequest
from authserver.protocol.entropy import new_id
from authserver.protocol.oauth_error import OAuthError, invalid_request
from authserver.protocol.pushed_request import REQUEST_URI_LIFETIME, digest_request_uri, is_pushed, new_request_uri
from authserver.realm import Realm
from authserver.realm.outcomes import Refused
from authserver.records.client import Client
from authserver.records.pushed_request import PushedRequest
from authserver.storage import pushed_requests
from authserver.tokens.key_proof import as_oauth_error, prove_key, use_proof

LONGEST_PUSHED: Final = 20_000
"""Characters of a pushed request. It is in no address, so it may be longer than one that a browser brings."""

_CREDENTIALS: Final = frozenset({"client_secret", "client_assertion", "client_assertion_type"})
"""What authenticates the client at the push, and is no part of the request (RFC 9126 §2.1)."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """The answer to a push (RFC 9126 §2.2); the lifetime in seconds."""

    request_uri: str = field(repr=False)
    expires_in: int


@dataclass(frozen=True, slots=True)
class Opened:
    """A pushed request and the interaction that opened it: the present one, if it `is_new`."""

    request_id: str
    is_new: bool


def push_request(
    realm: Realm, client: Client, parameters: Mapping[str, str], http: DpopRequest = WITHOUT_PROOF
) -> Pushed | OAuthError:
    """Validate the request of an authenticated client and keep it.

    A proof that comes with it names the key that the exchange of the code has to prove (RFC 9449 §10.1).

    Args:
        realm: the installation.
        client: who pushes.
        parameters: the form, each parameter once; the values of `resource` are separated by spaces.
        http: the request that brought it.
    """
    if "request_uri" in parameters:
        return invalid_request("request_uri must not be pushed.")
    key = prove_key(realm, http)
    if isinstance(key, Refused):
        return as_oauth_error(key)
    text = _write(client, parameters if key is None else {**parameters, "dpop_jkt": key.jkt})
    if key is not None and parameters.get("dpop_jkt", key.jkt) != key.jkt:
        return OAuthError("invalid_dpop_proof", "dpop_jkt names another key than the proof.", "two keys")
    refusal = _find_refusal(realm, client, text)
    if refusal is not None:
        return refusal
    used = use_proof(realm, key)
    if used is not None:
        return as_oauth_error(used)
    now, request_uri = realm.clock.now(), new_request_uri(realm.entropy)
    pushed = PushedRequest(digest_request_uri(request_uri), client.client_id, text, now, now + REQUEST_URI_LIFETIME)
    with realm.database.write() as tx:
        pushed_requests.add(tx, pushed)
    return Pushed(request_uri, int(REQUEST_URI_LIFETIME.total_seconds()))


def open_pushed(realm: Realm, text: str) -> Opened | Spent | None:
    """Open the pushed request that the query `text` names; None if it names none.

    Of any number of uses at once, on any node, one opens it. The others learn which interaction did, and only the
    browser of that interaction may go on with it.
    """
    named = _find_named(text)
    if named is None:
        return None
    client_id, digest = named
    with realm.database.read() as tx:
        found = pushed_requests.find(tx, digest)
    if found is None or found.client_id != client_id:
        return Spent("unknown, or of another client")
    if found.request_id is not None:
        return Opened(found.request_id, is_new=False)
    request_id = new_id(realm.entropy)
    with realm.database.write() as tx:
        is_new = pushed_requests.claim(tx, digest, request_id, realm.clock.now())
    return Opened(request_id, is_new=True) if is_new else Spent("expired, or opened meanwhile")


def validate_pending(realm: Realm, pending: PendingRequest) -> ClientRequest | Unredirectable | Spent:
    """Validate a request under way, whether the browser brought it or its client pushed it."""
    named = _find_named(pending.text)
    if named is None:
        return validate_request(realm, pending.text)
    client_id, digest = named
    with realm.database.read() as tx:
        found = pushed_requests.find(tx, digest)
    if found is None or (found.client_id, found.request_id) != (client_id, pending.request_id):
        return Spent("opened by another interaction")
    return validate_request(realm, found.text, is_pushed=True)


def _find_named(text: str) -> tuple[str, bytes] | None:
    """Client and digest of the pushed request that a query names; what else it says does not count (§4)."""
    parameters = read_parameters(text)
    request_uri = "" if parameters is None else parameters.values.get("request_uri", "")
    if parameters is None or not is_pushed(request_uri):
        return None
    return parameters.values.get("client_id", ""), digest_request_uri(request_uri)


def _write(client: Client, parameters: Mapping[str, str]) -> str:
    """The request as the query that a browser would bring."""
    kept = {name: value for name, value in parameters.items() if name not in {*_CREDENTIALS, "resource", "client_id"}}
    resources = [("resource", value) for value in parameters.get("resource", "").split()]
    return urlencode([("client_id", client.client_id), *kept.items(), *resources])


def _find_refusal(realm: Realm, client: Client, text: str) -> OAuthError | None:
    if len(text) > LONGEST_PUSHED:
        return invalid_request("The request is too long.")
    if "authorization_code" not in client.kind.grant_types:
        return OAuthError("unauthorized_client", "This client gets no code.", client.kind.value)
    request = validate_request(realm, text, is_pushed=True)
    if isinstance(request, Unredirectable):
        # What a browser could not be redirected with (RFC 9126 §2.3).
        return invalid_request("redirect_uri is missing or not registered.", request.reason)
    return request.refusal
