"""Opens a session with its first family; ends the device's earlier session and those above the cap (design §1, §4).

Runs in the caller's transaction. The caller holds the user's row.
"""

from dataclasses import dataclass
from datetime import datetime

from authserver.protocol.entropy import new_id
from authserver.realm import Realm
from authserver.records.audit import Actor
from authserver.records.client import Client
from authserver.records.session import Session
from authserver.records.user import User
from authserver.sessions.device import choose_device_id
from authserver.sessions.lifetimes import absolute_end
from authserver.storage import Transaction, client_sessions, sessions
from authserver.tokens.new_family import AccessToGrant, begin_family
from authserver.tokens.token_answer import Holding


@dataclass(frozen=True, slots=True)
class Authentication:
    """How the user authenticated: the claims `amr` and `acr` (RFC 8176, OpenID Connect Core §2)."""

    amr: tuple[str, ...]
    acr: str


PASSWORD = Authentication(amr=("pwd",), acr="urn:authserver:acr:password")


@dataclass(frozen=True, slots=True)
class RequestSource:
    """The source of a request, for the session list and the audit record."""

    ip: str
    user_agent: str


@dataclass(frozen=True, slots=True)
class DeviceClaim:
    """The client's device, as the client describes it; None for what it does not say.

    Without a name, a device that the user has used before keeps its name.
    """

    device_id: str | None
    device_name: str | None


@dataclass(frozen=True, slots=True)
class Opening:
    """How, where and when a session begins; `auth_time` is set where the user proved who they are before `now`."""

    authentication: Authentication
    device: DeviceClaim
    source: RequestSource
    now: datetime
    auth_time: datetime | None = None


def open_session(
    tx: Transaction,
    realm: Realm,
    *,
    user: User,
    opening: Opening,
    client: Client,
    granted: AccessToGrant,
) -> Holding:
    """Open a session of `user` for `client`; return its family at the first generation."""
    session = begin_session(tx, realm, user=user, opening=opening, client_id=client.client_id)
    return begin_family(tx, realm, user=user, session=session, client=client, granted=granted, now=opening.now)


def begin_session(tx: Transaction, realm: Realm, *, user: User, opening: Opening, client_id: str | None) -> Session:
    """Open a session of `user` without any family, for the client `client_id`, or for a browser if that is None."""
    device, source, now = opening.device, opening.source, opening.now
    device_id = device.device_id or choose_device_id(realm.entropy)
    _make_room(tx, realm, user, device_id, Actor(user.user_id, source.ip), now)
    session = Session(
        sid=new_id(realm.entropy),
        user_id=user.user_id,
        device_id=device_id,
        device_name=device.device_name or _recall_name(tx, user, device),
        client_id=client_id,
        ip=source.ip,
        user_agent=source.user_agent,
        created_at=now,
        expires_at=absolute_end(now, realm.lifetimes.refresh_absolute_lifetime),
        auth_time=opening.auth_time or now,
        amr=opening.authentication.amr,
        acr=opening.authentication.acr,
    )
    sessions.add(tx, session)
    client_sessions.hand_on(tx, user.user_id, device_id, session.sid)
    return session


def _recall_name(tx: Transaction, user: User, device: DeviceClaim) -> str:
    """The device's present name: a client that does not repeat the name has not removed it."""
    return "" if device.device_id is None else sessions.find_device_name(tx, user.user_id, device.device_id)


def _make_room(tx: Transaction, realm: Realm, user: User, device_id: str, by: Actor, now: datetime) -> None:
    """End the sessions that the new one replaces: the device's earlier one, and the longest unused above the cap."""
    replaced = sessions.find_live_on_device(tx, user.user_id, device_id)
    if replaced is not None:
        realm.revocation.end_session(tx, user.user_id, replaced, reason="device_signed_in_again", by=by, now=now)
    live = sessions.list_live(tx, user.user_id, now)
    for excess in live[realm.lifetimes.max_sessions_per_user - 1 :]:
        realm.revocation.end_session(tx, user.user_id, excess.session.sid, reason="session_cap", by=by, now=now)
