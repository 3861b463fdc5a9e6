"""Collects the writes that a transaction makes last, right before it commits.

`database` does not know what they write. Each writer is called once, with all items that were queued for it.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import Connection

Item = TypeVar("Item")
_LAST = "authserver.last"


def queue(tx: Connection, write: Callable[[Connection, list[Item]], None], item: Item) -> None:
    """Queue `item`: right before the commit, `write` is called once with all items that were queued for it."""
    tx.info.setdefault(_LAST, {}).setdefault(write, []).append(item)


def forget(tx: Connection) -> None:
    """Drop the items of an earlier transaction on this connection that was rolled back."""
    tx.info.pop(_LAST, None)


def run(tx: Connection) -> None:
    """Call each writer with its items."""
    queued: dict[Callable[[Connection, list[Any]], None], list[Any]] = tx.info.pop(_LAST, {})
    for write, items in queued.items():
        write(tx, items)
