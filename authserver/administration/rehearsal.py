"""Transactions for dry runs: they do the same work, and are rolled back at the end."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import NoReturn

from authserver.realm import Realm
from authserver.storage import Transaction


class _RehearsedError(Exception):
    """Rolls the transaction back; never leaves this file."""


@contextmanager
def write_if(realm: Realm, is_meant: Callable[[], bool]) -> Iterator[Transaction]:
    """Open a write transaction that commits only if `is_meant` returns True at its end; otherwise it is rolled back."""
    try:
        with realm.database.write() as tx:
            yield tx
            if not is_meant():
                _roll_back()
    except _RehearsedError:
        return


def write_or_rehearse(realm: Realm, *, dry_run: bool) -> AbstractContextManager[Transaction]:
    """Open a write transaction. A dry run does the same work, and is rolled back at its end."""
    return write_if(realm, lambda: not dry_run)


def _roll_back() -> NoReturn:
    raise _RehearsedError
