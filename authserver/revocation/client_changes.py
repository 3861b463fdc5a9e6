"""Enables a disabled client again, or removes its families before it is deleted. Its earlier tokens stay dead.

Disabling itself is a credential event (`Revocation.apply`). See docs/decisions/0013 and 0019.
"""

from datetime import datetime, timedelta
from typing import Final

from authserver.protocol.client_metadata import CLIENT_CREDENTIALS
from authserver.records.audit import Actor
from authserver.records.client import Client
from authserver.revocation.feed import feed_window
from authserver.revocation.revocation import Revocation
from authserver.storage import Transaction, client_holdings

MOST_TOLD: Final = 10_000
"""The most families published in the feed at once. They make a page of a megabyte, which each resource server keeps."""

_REMOVED_AT_ONCE: Final = 500


def enable_client(
    tx: Transaction, revocation: Revocation, client: Client, *, retry_window: timedelta, by: Actor, now: datetime
) -> datetime | None:
    """Let a disabled client begin new families. Its earlier families stay dead, also at resource servers.

    Resource servers forget that the client was disabled. So the feed names each earlier family that may have an
    unexpired access token. If there are more than `MOST_TOLD`, or if the client may have tokens of its own, which
    belong to no family, nothing is changed before the last of these tokens has expired.

    Args:
        tx: the caller's write transaction, which holds the client's row.
        revocation: the revocation of the installation.
        client: the client as it is in the database.
        retry_window: how long after a rotation the client can get more access tokens without another rotation.
        by: who enables it, for the audit record.
        now: the present instant.

    Returns:
        None when the client is enabled, also if it was before. Otherwise the instant at which the last of these access
        tokens has expired, and enabling will work.
    """
    if client.disabled_at is None:
        return None
    window = feed_window(revocation.access_token_lifetime)
    fams: list[str] = []
    if client.disabled_at > now - window:
        if CLIENT_CREDENTIALS in client.grant_types:
            return client.disabled_at + window
        used_since = now - window - retry_window
        fams = client_holdings.list_dead_fams(tx, client.client_id, used_since=used_since, limit=MOST_TOLD + 1)
        if len(fams) > MOST_TOLD:
            return client.disabled_at + window
    revocation.enable_client(tx, client.client_id, fams, by=by, now=now)
    return None


def remove_some_families(tx: Transaction, client: Client) -> bool:
    """Remove a few of a disabled client's families, and of what it knows of sessions; False when nothing is left.

    A client may hold millions of families, and a transaction of minutes would block other writers.
    """
    if client.disabled_at is None:
        return False
    families = client_holdings.remove_families(tx, client.client_id, limit=_REMOVED_AT_ONCE)
    known = client_holdings.remove_client_sessions(tx, client.client_id, limit=_REMOVED_AT_ONCE)
    return bool(families or known)
