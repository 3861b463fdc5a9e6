"""Initial access tokens (RFC 7591 §1.2): who has one may register clients, within what an operator allowed with it."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from authserver.protocol import base64url
from authserver.protocol.audit_name import AuditName
from authserver.protocol.entropy import Entropy, new_id
from authserver.protocol.resource import find_resource_fault
from authserver.protocol.secret import Secret
from authserver.protocol.text import is_storable
from authserver.realm import Realm
from authserver.realm.outcomes import NOT_FOUND, Invalid, Refused
from authserver.records.audit import SERVER, Actor, Detail
from authserver.records.client_rules import is_scope_token
from authserver.records.field_error import FieldError
from authserver.records.registration_token import RegistrationToken
from authserver.sessions.scope import ADMIN_SCOPE
from authserver.storage import audit, registration_tokens

MOST_USES: Final = 10_000
LONGEST_LIFETIME: Final = timedelta(days=365)

_RANDOM_BYTES: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What an operator allows with one token.

    Attributes:
        scope: the scopes that clients registered with it may have.
        audience: the resources that they may ask tokens for.
        uses: how many clients it registers.
        lifetime: how long it does.
    """

    scope: tuple[str, ...]
    audience: tuple[str, ...]
    uses: int
    lifetime: timedelta


@dataclass(frozen=True, slots=True)
class MadeToken:
    """A new token, and its text, which is shown only once."""

    token: RegistrationToken
    text: Secret


def make_registration_token(realm: Realm, offer: Offer, *, by: Actor = SERVER) -> MadeToken | Invalid:
    """Make an initial access token."""
    errors = tuple(_find_errors(offer))
    if errors:
        return Invalid(errors)
    text, now = create_token("ir_", realm.entropy), realm.clock.now()
    scope, audience = tuple(dict.fromkeys(offer.scope)), tuple(dict.fromkeys(offer.audience))
    token = RegistrationToken(new_id(realm.entropy), scope, audience, offer.uses, now, now + offer.lifetime)
    with realm.database.write() as tx:
        registration_tokens.add(tx, token, digest_token(text))
        detail: Detail = {"registration_token": token.token_id, "scope": " ".join(scope), "uses": offer.uses}
        name = AuditName.REGISTRATION_TOKEN_CREATED
        audit.write(tx, name, by=by, now=now, entropy=realm.entropy, detail=detail)
    return MadeToken(token, text)


def list_registration_tokens(realm: Realm) -> list[RegistrationToken]:
    """The tokens that still register clients, oldest first."""
    with realm.database.read() as tx:
        return registration_tokens.list_usable(tx, realm.clock.now())


def end_registration_token(realm: Realm, token_id: str, *, by: Actor = SERVER) -> Refused | None:
    """End a token before its time. Clients that it has registered stay."""
    now = realm.clock.now()
    with realm.database.write() as tx:
        if not is_storable(token_id) or not registration_tokens.end(tx, token_id, now):
            return Refused(NOT_FOUND, f"There is no registration token {token_id!r}.")
        detail = {"registration_token": token_id}
        audit.write(tx, AuditName.REGISTRATION_TOKEN_ENDED, by=by, now=now, entropy=realm.entropy, detail=detail)
    return None


def create_token(prefix: str, entropy: Entropy) -> Secret:
    """Make a token of 256 random bits, so that a plain SHA-256 protects it."""
    return Secret(prefix + base64url.encode(entropy(_RANDOM_BYTES)))


def digest_token(token: Secret) -> bytes:
    """The digest of a token, which is all that the database keeps."""
    return hashlib.sha256(token.reveal().encode("utf-8", "surrogatepass")).digest()


def _find_errors(offer: Offer) -> Iterator[FieldError]:
    if not all(map(is_scope_token, offer.scope)) or ADMIN_SCOPE in offer.scope:
        message = f"It must consist of scopes, without {ADMIN_SCOPE}: nobody checks the clients that are registered."
        yield FieldError("scope", "invalid_scope", message)
    if any(map(find_resource_fault, offer.audience)):
        yield FieldError("audience", "invalid_audience", "It must consist of absolute URIs without a fragment.")
    if not 1 <= offer.uses <= MOST_USES:
        yield FieldError("uses", "invalid_uses", f"It must be 1 to {MOST_USES}.")
    if not timedelta(0) < offer.lifetime <= LONGEST_LIFETIME:
        yield FieldError("lifetime", "invalid_lifetime", f"It must be at most {LONGEST_LIFETIME.days} days.")
