"""Doing something, or rehearsing it: the same work in the same transaction, rolled back at the end."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from authserver.realm import Realm
from authserver.storage import Transaction


class _RehearsedError(Exception):
    """Rolls a rehearsal back."""


@contextmanager
def write_or_rehearse(realm: Realm, *, dry_run: bool) -> Iterator[Transaction]:
    """One write transaction. A dry run leaves nothing of it behind, so what it comes to is what would happen."""
    try:
        with realm.database.write() as tx:
            yield tx
            if dry_run:
                _roll_back()
    except _RehearsedError:
        return


def _roll_back() -> NoReturn:
    raise _RehearsedError
