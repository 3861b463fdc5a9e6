"""Doing something, or rehearsing it: the same work in the same transaction, rolled back at the end."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import NoReturn

from authserver.realm import Realm
from authserver.storage import Transaction


class _RehearsedError(Exception):
    """Rolls a rehearsal back."""


@contextmanager
def write_if(realm: Realm, is_meant: Callable[[], bool]) -> Iterator[Transaction]:
    """One write transaction that commits only if, at its end, it `is_meant`; otherwise nothing of it is left behind."""
    try:
        with realm.database.write() as tx:
            yield tx
            if not is_meant():
                _roll_back()
    except _RehearsedError:
        return


def write_or_rehearse(realm: Realm, *, dry_run: bool) -> AbstractContextManager[Transaction]:
    """One write transaction. What a dry run comes to is what would happen, because it did."""
    return write_if(realm, lambda: not dry_run)


def _roll_back() -> NoReturn:
    raise _RehearsedError
