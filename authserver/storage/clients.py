"""Statements on registered clients."""

import json
from datetime import datetime, timedelta
from typing import Any, assert_never

from sqlalchemy import Connection, Row, Select, insert, select, update
from sqlalchemy.exc import IntegrityError

from authserver.protocol.client_metadata import ClientKind
from authserver.records.client import Client, ClientOrigins, FormerSecret
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
from authserver.records.client_settings import ATTRIBUTES
from authserver.records.provenance import BY_OPERATOR, ByDocument, ByItself, ByOperator, Provenance
from authserver.storage.schema import Client as ClientRow
from authserver.storage.schema import RefreshTokenFamily

_C = ClientRow.__table__.c
_F = RefreshTokenFamily.__table__.c


_NO_DIGEST = b""
"""Of a client with keys instead of a secret. The release before takes NULL for a public client, which needs none."""

_CLIENT: Select[Any] = select(ClientRow.__table__)


def find(tx: Connection, client_id: str) -> Client | None:
    """The client with this id, or None."""
    row = tx.execute(_CLIENT.where(_C.client_id == client_id)).one_or_none()
    return None if row is None else _decode(row)


def find_family_version(tx: Connection, client_id: str) -> int | None:
    """The version that new families must carry; None while the client is disabled.

    Read it in the transaction that begins the family: a record from memory may be seconds old.
    """
    version: int | None = tx.execute(
        select(_C.family_version).where(_C.client_id == client_id, _C.disabled_at.is_(None)).with_for_update(read=True)
    ).scalar_one_or_none()
    return version


def is_enabled(tx: Connection, client_id: str) -> bool:
    """Whether the client exists and is enabled, at this moment."""
    enabled = select(_C.client_id).where(_C.client_id == client_id, _C.disabled_at.is_(None))
    return tx.execute(enabled).first() is not None


def find_for_update(tx: Connection, client_id: str) -> Client | None:
    """The client, with its row locked until this transaction ends."""
    row = tx.execute(_CLIENT.where(_C.client_id == client_id).with_for_update()).one_or_none()
    return None if row is None else _decode(row)


def list_origins(tx: Connection) -> list[ClientOrigins]:
    """The browser origins of each enabled client."""
    rows = tx.execute(select(_C.client_id, _C.first_party, _C.origins).where(_C.disabled_at.is_(None)))
    return [ClientOrigins(row.client_id, row.first_party, frozenset(row.origins.split())) for row in rows]


def list_id_token_algorithms(tx: Connection) -> set[str]:
    """The algorithms that clients ask for by name, enabled or not."""
    alg = _C.id_token_signed_response_alg
    return set(tx.execute(select(alg).where(alg.is_not(None)).distinct()).scalars())


def list_salts(tx: Connection, *, of_user: str | None = None, of_session: str | None = None) -> list[bytes]:
    """The salts of pairwise clients: all, or those of clients with a family of this user or in this session."""
    wanted = select(_C.pairwise_salt).where(_C.pairwise_salt.is_not(None))
    held = select(_F.client_id).where(_F.client_id == _C.client_id)
    if of_user is not None:
        wanted = wanted.where(held.where(_F.user_id == of_user).exists())
    if of_session is not None:
        wanted = wanted.where(held.where(_F.sid == of_session).exists())
    return list(tx.execute(wanted.order_by(_C.client_id)).scalars())


def list_all(tx: Connection) -> list[Client]:
    """All clients, oldest first."""
    return [_decode(row) for row in tx.execute(_CLIENT.order_by(_C.created_at, _C.client_id))]


def add(tx: Connection, client: Client) -> bool:
    """Insert `client`; False if its id is taken."""
    row = {
        "client_id": client.client_id,
        "kind": client.kind.value,
        "secret_digest": None if client.kind.is_public else client.secret_digest or _NO_DIGEST,
        "family_version": client.family_version,
        "created_at": client.created_at,
        "disabled_at": client.disabled_at,
        **_encode_provenance(client.provenance),
        **_encode_settings(client),
    }
    try:
        with tx.begin_nested():
            tx.execute(insert(ClientRow), row)
    except IntegrityError:
        return False
    return True


def change(tx: Connection, client: Client) -> None:
    """Write the members that an operator may change. Id, kind, secret, standing and version stay unchanged."""
    tx.execute(update(ClientRow).where(_C.client_id == client.client_id).values(_encode_settings(client)))


def write_description(tx: Connection, client: Client) -> None:
    """Write what a document says of the client: its members, its kind, and since when it says so."""
    digest = None if client.kind.is_public else _NO_DIGEST  # it has no shared secret
    values = {
        "kind": client.kind.value,
        "secret_digest": digest,
        **_encode_provenance(client.provenance),
        **_encode_settings(client),
    }
    tx.execute(update(ClientRow).where(_C.client_id == client.client_id).values(values))


def write_secrets(tx: Connection, client_id: str, digest: bytes | None, former: FormerSecret | None) -> None:
    """Replace the client's secret and its former secret; None: it has none."""
    tx.execute(
        update(ClientRow)
        .where(_C.client_id == client_id)
        .values(
            secret_digest=digest or _NO_DIGEST,
            former_secret_digest=None if former is None else former.digest,
            former_secret_expires_at=None if former is None else former.expires_at,
        )
    )


def disable(tx: Connection, client_id: str, now: datetime) -> bool:
    """Disable the client and raise its family version, so that its families stay dead; False if it already was."""
    return bool(
        tx.execute(
            update(ClientRow)
            .where(_C.client_id == client_id, _C.disabled_at.is_(None))
            .values(disabled_at=now, family_version=_C.family_version + 1)
        ).rowcount
    )


def enable(tx: Connection, client_id: str) -> bool:
    """Let the client begin new families; False if it was not disabled."""
    return bool(
        tx.execute(
            update(ClientRow).where(_C.client_id == client_id, _C.disabled_at.is_not(None)).values(disabled_at=None)
        ).rowcount
    )


def _encode_provenance(provenance: Provenance) -> dict[str, object]:
    values: dict[str, object] = {"provenance": provenance.name}
    match provenance:
        case ByOperator():
            return values
        case ByItself(management_digest, scope_limit):
            return {**values, "management_digest": management_digest, "scope_limit": " ".join(scope_limit)}
        case ByDocument(changed_at):
            return {**values, "described_at": changed_at}
        case _ as never:
            assert_never(never)


def _decode_provenance(row: Row[Any]) -> Provenance:
    match row.provenance:
        case ByOperator.name:
            return BY_OPERATOR
        case ByItself.name:
            return ByItself(row.management_digest, tuple(row.scope_limit.split()))
        case ByDocument.name:
            return ByDocument(row.described_at)
        case _:
            raise ValueError(f"no provenance of a client: {row.provenance!r}")


def _encode_settings(client: Client) -> dict[str, object]:
    columns = {
        name: _encode(attribute.form, client.of(name)) for name, attribute in ATTRIBUTES.items() if attribute.has_column
    }
    return {**columns, "pairwise_salt": client.pairwise_salt}


def _encode(form: Form, value: Any) -> object:  # noqa: ANN401 - as its form says
    match form:
        case Line() | Switch() | Name() | Address() | CalledAddress() | KeySet():
            return value
        case Words() | ScopeWords():
            return " ".join(value)
        case Choice():
            return None if value is None else value.value
        case Length():
            return None if value is None else int(value.total_seconds())
        case ScopeTable() | ClaimTable():
            return json.dumps(value)
        case _ as never:
            assert_never(never)


def _decode(row: Row[Any]) -> Client:
    settings = {
        name: _decode_value(attribute.form, row._mapping[name])  # noqa: SLF001 - public in spite of its name
        for name, attribute in ATTRIBUTES.items()
        if attribute.has_column
    }
    former = None
    if row.former_secret_digest is not None:
        former = FormerSecret(row.former_secret_digest, row.former_secret_expires_at)
    return Client(
        **settings,
        client_id=row.client_id,
        kind=ClientKind(row.kind),
        secret_digest=row.secret_digest or None,
        family_version=row.family_version,
        created_at=row.created_at,
        disabled_at=row.disabled_at,
        pairwise=row.pairwise_salt is not None,
        pairwise_salt=row.pairwise_salt,
        former_secret=former,
        provenance=_decode_provenance(row),
    )


def _decode_value(form: Form, stored: Any) -> Any:  # noqa: ANN401 - as its form says
    match form:
        case Line() | Switch() | Name() | Address() | CalledAddress() | KeySet():
            return stored
        case Words() | ScopeWords():
            return tuple(stored.split())
        case Choice(of):
            return None if stored is None else of(stored)
        case Length():
            return None if stored is None else timedelta(seconds=stored)
        case ScopeTable() | ClaimTable():
            return json.loads(stored)
        case _ as never:
            assert_never(never)
