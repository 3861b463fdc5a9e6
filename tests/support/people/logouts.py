"""Who is to be told that a session has ended: what waits in the outbox for clients."""

import json
from typing import Any

from sqlalchemy import select

from authserver.realm import Realm
from authserver.records.client import Client
from authserver.records.queued_logout import LOGOUT
from authserver.storage.schema import QueuedDelivery
from tests.support.people.relying_party import APP, register_app

URI = f"{APP}/backchannel"


def register_listener(realm: Realm, name: str, uri: str = URI, **settings: Any) -> Client:  # noqa: ANN401 - attributes
    """An application that wants to hear of ends."""
    return register_app(realm, name, backchannel_logout_uri=uri, **settings)


def list_told(realm: Realm) -> list[tuple[str, str]]:
    """Client and `sid` of each logout token that waits, in order."""
    table = QueuedDelivery.__table__.c
    with realm.database.read() as tx:
        rows = tx.execute(select(table.target, table.payload).where(table.kind == LOGOUT))
        return sorted((row.target, json.loads(row.payload)["sid"]) for row in rows)
