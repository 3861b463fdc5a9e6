"""Enabling a client again, and deleting one: for good stays what the client held before.

Disabling is a credential event (`Revocation.apply`). This is what follows it (docs/decisions/0013, 0019).
"""

from datetime import datetime, timedelta
from typing import Final

from authserver.records.audit import Actor
from authserver.records.client import Client
from authserver.revocation.feed import feed_window
from authserver.revocation.revocation import Revocation
from authserver.storage import Transaction, client_holdings

MOST_TOLD: Final = 10_000
"""Families named to resource servers at once: a page of a megabyte, which each of them has to fetch and to keep."""

_REMOVED_AT_ONCE: Final = 500


def enable_client(
    tx: Transaction, revocation: Revocation, client: Client, *, retry_window: timedelta, by: Actor, now: datetime
) -> datetime | None:
    """Let a disabled client begin new families, and keep dead what it held, also at resource servers.

    They forget that the client was disabled, so each family that may have an unexpired access token is told to them by
    name. Where these are too many, nothing is done and the answer is the instant when none of them is left.

    Args:
        tx: the caller's write transaction, which holds the client's row.
        revocation: that of the installation.
        client: the client as it is in the database.
        retry_window: how long after a rotation the client can get another access token without one.
        by: who enables it.
        now: the instant.
    """
    if client.disabled_at is None:
        return None
    window = feed_window(revocation.access_token_lifetime)
    fams: list[str] = []
    if client.disabled_at > now - window:
        used_since = now - window - retry_window
        fams = client_holdings.list_dead_fams(tx, client.client_id, used_since=used_since, limit=MOST_TOLD + 1)
        if len(fams) > MOST_TOLD:
            return client.disabled_at + window
    revocation.enable_client(tx, client.client_id, fams, by=by, now=now)
    return None


def remove_some_families(tx: Transaction, client: Client) -> bool:
    """Remove a few of a disabled client's families; False when none is left.

    A few at a time, because a client may hold millions, and a transaction of minutes would be in everybody's way.
    """
    return client.disabled_at is not None and bool(
        client_holdings.remove_families(tx, client.client_id, limit=_REMOVED_AT_ONCE)
    )
