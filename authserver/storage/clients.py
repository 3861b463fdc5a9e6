"""Statements on registered clients."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, insert, select, update
from sqlalchemy.exc import IntegrityError

from authserver.protocol.client_metadata import ClientKind, ConsentRule
from authserver.records.client import Client, ClientOrigins, FormerSecret
from authserver.storage.schema import Client as ClientRow

_C = ClientRow.__table__.c


_CLIENT: Select[Any] = select(
    _C.client_id,
    _C.name,
    _C.kind,
    _C.secret_digest,
    _C.first_party,
    _C.scope,
    _C.audience,
    _C.redirect_uris,
    _C.origins,
    _C.retry_window,
    _C.late_retry_window,
    _C.family_version,
    _C.created_at,
    _C.disabled_at,
    _C.post_logout_redirect_uris,
    _C.offline_access,
    _C.consent,
    _C.access_token_lifetime,
    _C.refresh_idle_lifetime,
    _C.refresh_absolute_lifetime,
    _C.pairwise_salt,
    _C.former_secret_digest,
    _C.former_secret_expires_at,
    _C.logo_uri,
    _C.client_uri,
    _C.policy_uri,
    _C.tos_uri,
    _C.scope_texts,
)


def find(tx: Connection, client_id: str) -> Client | None:
    """The client with this id, or None."""
    row = tx.execute(_CLIENT.where(_C.client_id == client_id)).one_or_none()
    return None if row is None else _decode(row)


def find_family_version(tx: Connection, client_id: str) -> int | None:
    """The version that families begun now must carry; None while the client is disabled.

    Read inside the transaction that begins the family: a record from memory may be seconds old.
    """
    version: int | None = tx.execute(
        select(_C.family_version).where(_C.client_id == client_id, _C.disabled_at.is_(None)).with_for_update(read=True)
    ).scalar_one_or_none()
    return version


def find_for_update(tx: Connection, client_id: str) -> Client | None:
    """The client, and nobody else changes its row before this transaction ends."""
    row = tx.execute(_CLIENT.where(_C.client_id == client_id).with_for_update()).one_or_none()
    return None if row is None else _decode(row)


def list_origins(tx: Connection) -> list[ClientOrigins]:
    """From where browsers may call, for each enabled client."""
    rows = tx.execute(select(_C.client_id, _C.first_party, _C.origins).where(_C.disabled_at.is_(None)))
    return [ClientOrigins(row.client_id, row.first_party, frozenset(row.origins.split())) for row in rows]


def list_all(tx: Connection) -> list[Client]:
    """All clients, oldest first."""
    return [_decode(row) for row in tx.execute(_CLIENT.order_by(_C.created_at, _C.client_id))]


def add(tx: Connection, client: Client) -> bool:
    """Insert `client`; False when there is one with its id."""
    row = {
        "client_id": client.client_id,
        "kind": client.kind.value,
        "secret_digest": client.secret_digest,
        "family_version": client.family_version,
        "created_at": client.created_at,
        "disabled_at": client.disabled_at,
        **_encode_settings(client),
    }
    try:
        with tx.begin_nested():
            tx.execute(insert(ClientRow), row)
    except IntegrityError:
        return False
    return True


def change(tx: Connection, client: Client) -> None:
    """Write what an operator may set anew. Id, kind, secret, standing and version stay as they are in the database."""
    tx.execute(update(ClientRow).where(_C.client_id == client.client_id).values(_encode_settings(client)))


def write_secrets(tx: Connection, client_id: str, digest: bytes, former: FormerSecret | None) -> None:
    """Replace the client's secret, and the former one with it."""
    tx.execute(
        update(ClientRow)
        .where(_C.client_id == client_id)
        .values(
            secret_digest=digest,
            former_secret_digest=None if former is None else former.digest,
            former_secret_expires_at=None if former is None else former.expires_at,
        )
    )


def disable(tx: Connection, client_id: str, now: datetime) -> bool:
    """Disable the client and raise its family version, so that its families stay dead; False when it already was."""
    return bool(
        tx.execute(
            update(ClientRow)
            .where(_C.client_id == client_id, _C.disabled_at.is_(None))
            .values(disabled_at=now, family_version=_C.family_version + 1)
        ).rowcount
    )


def enable(tx: Connection, client_id: str) -> bool:
    """Let the client begin new families; False when it was not disabled."""
    return bool(
        tx.execute(
            update(ClientRow).where(_C.client_id == client_id, _C.disabled_at.is_not(None)).values(disabled_at=None)
        ).rowcount
    )


def _encode_settings(client: Client) -> dict[str, object]:
    return {
        "name": client.name,
        "first_party": client.first_party,
        "scope": " ".join(client.scope),
        "audience": " ".join(client.audience),
        "redirect_uris": " ".join(client.redirect_uris),
        "post_logout_redirect_uris": " ".join(client.post_logout_redirect_uris),
        "origins": " ".join(client.origins),
        "offline_access": client.offline_access,
        "consent": client.consent.value,
        "retry_window": _seconds(client.retry_window),
        "late_retry_window": _seconds(client.late_retry_window),
        "access_token_lifetime": _seconds(client.access_token_lifetime),
        "refresh_idle_lifetime": _seconds(client.refresh_idle_lifetime),
        "refresh_absolute_lifetime": _seconds(client.refresh_absolute_lifetime),
        "pairwise_salt": client.pairwise_salt,
        "logo_uri": client.logo_uri,
        "client_uri": client.client_uri,
        "policy_uri": client.policy_uri,
        "tos_uri": client.tos_uri,
        "scope_texts": json.dumps(client.scope_texts),
    }


def _seconds(window: timedelta | None) -> int | None:
    return None if window is None else int(window.total_seconds())


def _window(seconds: int | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)


def _decode(row: Sequence[Any]) -> Client:
    (
        client_id,
        name,
        kind,
        secret_digest,
        first_party,
        scope,
        audience,
        redirect_uris,
        origins,
        retry_window,
        late_retry_window,
        family_version,
        created_at,
        disabled_at,
        post_logout_redirect_uris,
        offline_access,
        consent,
        access_token_lifetime,
        refresh_idle_lifetime,
        refresh_absolute_lifetime,
        pairwise_salt,
        former_digest,
        former_expires_at,
        logo_uri,
        client_uri,
        policy_uri,
        tos_uri,
        scope_texts,
    ) = row
    return Client(
        client_id,
        name,
        ClientKind(kind),
        secret_digest,
        first_party,
        tuple(scope.split()),
        tuple(audience.split()),
        tuple(redirect_uris.split()),
        tuple(origins.split()),
        _window(retry_window),
        _window(late_retry_window),
        family_version,
        created_at,
        disabled_at,
        tuple(post_logout_redirect_uris.split()),
        offline_access,
        ConsentRule(consent),
        _window(access_token_lifetime),
        _window(refresh_idle_lifetime),
        _window(refresh_absolute_lifetime),
        pairwise_salt,
        None if former_digest is None else FormerSecret(former_digest, former_expires_at),
        logo_uri,
        client_uri,
        policy_uri,
        tos_uri,
        json.loads(scope_texts),
    )
