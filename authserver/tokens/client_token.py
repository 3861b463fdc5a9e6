"""Issues the access token of a client itself (RFC 6749 §4.4): no user, no session, no refresh token."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from authserver.keyring.issuer import issue_access_token
from authserver.protocol.claims import ClientToken
from authserver.protocol.entropy import new_id
from authserver.realm.realm import Realm
from authserver.records.client import Client
from authserver.sessions.scope import SCOPES_OF_USERS


@dataclass(frozen=True, slots=True)
class ClientAnswer:
    """The access token of a client itself. The lifetime is in seconds."""

    access_token: str = field(repr=False)
    token_type: str
    expires_in: int
    scope: str


def choose_client_scope(client: Client, asked: Sequence[str] | None) -> str | None:
    """The scope of the token: what is asked, or all that the client may have; None if it may not have all of it."""
    allowed = [scope for scope in client.scope if scope not in SCOPES_OF_USERS]
    if asked is None:
        return " ".join(allowed)
    return " ".join(dict.fromkeys(asked)) if set(asked) <= set(allowed) else None


def choose_client_audience(realm: Realm, client: Client, resources: Sequence[str]) -> tuple[str, ...] | None:
    """The audience of the token (contract §1, RFC 8707 §2); None if one of `resources` is not the client's.

    Never the issuer, also for a first-party client: all that it does with an access token is about a user.
    """
    if not resources:
        return (realm.default_audience,)
    known = {*client.audience, realm.default_audience} - {realm.issuer}
    return tuple(dict.fromkeys(resources)) if known.issuperset(resources) else None


def issue_client_token(
    realm: Realm, client: Client, *, scope: str, audience: tuple[str, ...], now: datetime, jkt: str | None
) -> ClientAnswer:
    """Sign the token, in memory. Read `now` before whatever says that the client may have it.

    It is bound to the key `jkt`, if there is one (RFC 9449 §5).
    """
    lifetime = int(realm.lifetimes.of_client(client).access_token_lifetime.total_seconds())
    issued_at = int(now.timestamp())
    claims = ClientToken(
        iss=realm.issuer,
        sub=client.client_id,
        aud=audience,
        exp=issued_at + lifetime,
        iat=issued_at,
        jti=new_id(realm.entropy),
        client_id=client.client_id,
        scope=scope,
        jkt=jkt,
    )
    access_token = issue_access_token(realm.keyring.current.signing_key, claims)
    return ClientAnswer(access_token, "Bearer" if jkt is None else "DPoP", lifetime, scope)
