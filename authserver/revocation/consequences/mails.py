"""Consequence: mails to the user."""

from authserver.mail.queue import queue_mail
from authserver.revocation.done import Circumstances, Done, EventApplied
from authserver.storage import Transaction


def queue_mails(tx: Transaction, done: Done, circumstances: Circumstances) -> None:
    """Queue the mails that a credential event causes. They contain the user's data from before the event."""
    if not isinstance(done, EventApplied) or done.user is None:
        return
    for notice in done.notices:
        queue_mail(tx, notice, user=done.user, sid=done.current, now=circumstances.now, entropy=circumstances.entropy)
