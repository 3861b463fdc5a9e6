"""The consequences of an end or change, in the transaction that made it. One file each.

A new consequence is one file here and one line in `CONSEQUENCES`. Each consequence gets every `Done` and ignores those
that do not concern it.
"""

from collections.abc import Callable
from typing import TypeAlias

from authserver.revocation.consequences.logout_tokens import queue_logout_tokens
from authserver.revocation.consequences.mails import queue_mails
from authserver.revocation.consequences.publication import publish
from authserver.revocation.consequences.record import record
from authserver.revocation.done import Circumstances, Done
from authserver.storage import Transaction

Consequence: TypeAlias = Callable[[Transaction, Done, Circumstances], None]

CONSEQUENCES: tuple[Consequence, ...] = (
    publish,
    record,
    queue_mails,
    queue_logout_tokens,
)


def follow(tx: Transaction, done: Done, circumstances: Circumstances) -> None:
    """Run all consequences of `done`, in the order of `CONSEQUENCES`."""
    for consequence in CONSEQUENCES:
        consequence(tx, done, circumstances)


__all__ = ["CONSEQUENCES", "Consequence", "follow"]
