"""What a transaction writes last, right before it commits: collected while it runs.

The database knows nothing of what that is. Each writer gets all that was queued for it, once.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import Connection

Item = TypeVar("Item")
_LAST = "authserver.last"


def queue(tx: Connection, write: Callable[[Connection, list[Item]], None], item: Item) -> None:
    """Have `write` called with `item`, and all others queued for it, when this transaction is about to commit."""
    tx.info.setdefault(_LAST, {}).setdefault(write, []).append(item)


def forget(tx: Connection) -> None:
    """Drop what an earlier transaction on the same connection left behind when it was rolled back."""
    tx.info.pop(_LAST, None)


def run(tx: Connection) -> None:
    """Call the writers."""
    queued: dict[Callable[[Connection, list[Any]], None], list[Any]] = tx.info.pop(_LAST, {})
    for write, items in queued.items():
        write(tx, items)
