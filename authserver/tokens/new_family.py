"""Creates a refresh token family, at a sign-in or when a code is exchanged."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from authserver.protocol.entropy import new_id
from authserver.protocol.refresh_token import FAMILY_ID_BYTES
from authserver.realm.realm import Realm
from authserver.records.client import Client
from authserver.records.family import FIRST_GENERATION, GrantedAccess, NewFamily
from authserver.records.session import Session
from authserver.records.user import User
from authserver.sessions.lifetimes import absolute_end
from authserver.sessions.scope import OPENID_SCOPE
from authserver.storage import Transaction, client_sessions, families
from authserver.tokens.token_answer import Holding


@dataclass(frozen=True, slots=True)
class AccessToGrant:
    """The access to grant to a new family, in its session.

    Attributes:
        client_family_version: read in the same transaction (`clients.find_family_version`); a disabled client has none.
        offline: whether refresh tokens are handed out. Without them, the family lives as long as its access token.
        jkt: the key to which the refresh tokens are bound, by its thumbprint; None where they are not bound.
    """

    scope: str
    audience: tuple[str, ...]
    auth_time: datetime
    client_family_version: int
    offline: bool = True
    jkt: str | None = None


def _grant(session: Session, client: Client, granted: AccessToGrant, *, fam: str) -> GrantedAccess:
    return GrantedAccess(
        user_id=session.user_id,
        sid=session.sid,
        fam=fam,
        client_id=client.client_id,
        device_id=session.device_id,
        scope=granted.scope,
        audience=granted.audience,
        auth_time=granted.auth_time,
        amr=session.amr,
        acr=session.acr,
    )


def begin_family(
    tx: Transaction,
    realm: Realm,
    *,
    user: User,
    session: Session,
    client: Client,
    granted: AccessToGrant,
    now: datetime,
) -> Holding:
    """Create a family of `client` in `session`, at its first generation. The caller holds the user's row."""
    lifetimes = realm.lifetimes.of_client(client)
    idle_lifetime = lifetimes.refresh_idle_lifetime if granted.offline else lifetimes.access_token_lifetime
    expires_at = min(absolute_end(now, lifetimes.refresh_absolute_lifetime), session.expires_at)
    mac_key = realm.keyring.current.mac_key
    family = NewFamily(
        family_id=realm.entropy(FAMILY_ID_BYTES),
        granted=_grant(session, client, granted, fam=new_id(realm.entropy)),
        client_family_version=granted.client_family_version,
        mac_kid=mac_key.kid,
        idle_expires_at=now + idle_lifetime,
        expires_at=expires_at,
        jkt=granted.jkt,
    )
    families.add(tx, family, now)
    client_sessions.remember(tx, client.client_id, session.sid)
    return Holding(
        family.family_id,
        FIRST_GENERATION,
        mac_key,
        family.granted,
        family.ends_at,
        user.token_version,
        user.roles,
    )


def choose_audience(realm: Realm, client: Client, scope: str, resources: Sequence[str]) -> tuple[str, ...] | None:
    """Choose the audience of the tokens (contract §1, RFC 8707 §2); None if one of `resources` is not allowed."""
    if not resources:
        at_home = client.first_party or OPENID_SCOPE in scope.split()
        return (realm.issuer, realm.default_audience) if at_home else (realm.default_audience,)
    known = {*client.audience, realm.default_audience, *((realm.issuer,) if client.first_party else ())}
    return tuple(dict.fromkeys(resources)) if known.issuperset(resources) else None
