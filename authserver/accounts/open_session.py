"""Opening a session: the device's earlier one ends, the cap is kept, and one family is born (design §1, §4).

Runs inside the caller's transaction, after the caller has taken the user's row.
"""

from dataclasses import dataclass
from datetime import datetime

from authserver.protocol.entropy import new_id
from authserver.protocol.refresh_token import FAMILY_ID_BYTES
from authserver.realm import Realm
from authserver.realm.token_answer import Holding
from authserver.sessions.device import choose_device_id
from authserver.sessions.family import Grant
from authserver.sessions.lifetimes import idle_end
from authserver.storage import Transaction, families, sessions
from authserver.storage.audit import Actor
from authserver.storage.clients import Client
from authserver.storage.families import FIRST_GENERATION, NewFamily
from authserver.storage.sessions import Session
from authserver.storage.users import User


@dataclass(frozen=True, slots=True)
class Authentication:
    """How the user proved to be who he is (RFC 8176, OpenID Connect Core §2)."""

    amr: tuple[str, ...]
    acr: str


PASSWORD = Authentication(amr=("pwd",), acr="urn:authserver:acr:password")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from, for the session list and the audit record."""

    ip: str
    user_agent: str


@dataclass(frozen=True, slots=True)
class DeviceClaim:
    """What the client says about its device; both None when it says nothing."""

    device_id: str | None
    device_name: str | None


def open_session(  # noqa: PLR0913 - who, how, for whom, where and when are different facts
    tx: Transaction,
    realm: Realm,
    *,
    user: User,
    client: Client,
    client_family_version: int,
    scope: str,
    authentication: Authentication,
    device: DeviceClaim,
    origin: Origin,
    now: datetime,
) -> Holding:
    """Open a session of `user` for `client` and return its family at the first generation.

    `client_family_version` was read in this transaction (`clients.find_family_version`): a disabled client has none.
    """
    by = Actor(user.user_id, origin.ip)
    device_id = device.device_id or choose_device_id(realm.entropy)
    _make_room(tx, realm, user, device_id, by, now)
    expires_at = now + realm.lifetimes.refresh_absolute_lifetime
    session = Session(
        sid=new_id(realm.entropy),
        user_id=user.user_id,
        device_id=device_id,
        device_name=device.device_name or "",
        client_id=client.client_id,
        ip=origin.ip,
        user_agent=origin.user_agent,
        created_at=now,
        expires_at=expires_at,
        auth_time=now,
        amr=authentication.amr,
        acr=authentication.acr,
    )
    sessions.add(tx, session)
    family = NewFamily(
        family_id=realm.entropy(FAMILY_ID_BYTES),
        grant=_grant(realm, session, client, scope),
        client_family_version=client_family_version,
        mac_kid=(mac_key := realm.keyring.current.mac_key).kid,
        idle_expires_at=idle_end(now, realm.lifetimes.refresh_idle_lifetime, expires_at),
        expires_at=expires_at,
    )
    families.add(tx, family, now)
    return Holding(
        family.family_id,
        FIRST_GENERATION,
        mac_key,
        family.grant,
        family.idle_expires_at,
        user.token_version,
        user.roles,
    )


def _make_room(tx: Transaction, realm: Realm, user: User, device_id: str, by: Actor, now: datetime) -> None:
    """End what the new session replaces: the device's earlier session, and the longest idle ones above the cap."""
    replaced = sessions.find_live_on_device(tx, user.user_id, device_id)
    if replaced is not None:
        realm.revocation.end_session(tx, user.user_id, replaced, reason="device_signed_in_again", by=by, now=now)
    live = sessions.list_live(tx, user.user_id, now)
    for excess in live[realm.lifetimes.max_sessions_per_user - 1 :]:
        realm.revocation.end_session(tx, user.user_id, excess.session.sid, reason="session_cap", by=by, now=now)


def _grant(realm: Realm, session: Session, client: Client, scope: str) -> Grant:
    audience = (realm.issuer, realm.default_audience) if client.first_party else (realm.default_audience,)
    return Grant(
        user_id=session.user_id,
        sid=session.sid,
        fam=new_id(realm.entropy),
        client_id=client.client_id,
        device_id=session.device_id,
        scope=scope,
        audience=audience,
        auth_time=session.auth_time,
        amr=session.amr,
        acr=session.acr,
    )
