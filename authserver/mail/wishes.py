"""Wishes: anonymous requests that name an address. They are only queued; the outbox worker processes them later.

So the HTTP request takes the same time for a known and an unknown address (ASVS 6.3.8).
"""

from datetime import datetime
from typing import Final

from authserver.mail.urgency import ROUTINE, URGENT
from authserver.protocol.entropy import Entropy, new_id
from authserver.records.queued_mail import Parameters, QueuedMail
from authserver.storage import Transaction, outbox

RESET_WISH: Final = "wish:reset"
REGISTER_WISH: Final = "wish:register"
RESEND_WISH: Final = "wish:resend"
WISHES: Final = {RESET_WISH: URGENT, REGISTER_WISH: ROUTINE, RESEND_WISH: ROUTINE}
"""All wishes, with their ranks."""


def queue_wish(
    tx: Transaction, wish: str, address: str, parameters: Parameters, *, now: datetime, entropy: Entropy
) -> None:
    """Queue a wish about a canonical address. `parameters` hold no secret; a password hash does not count as one."""
    outbox.queue(tx, QueuedMail(new_id(entropy), wish, address, None, parameters), now, rank=WISHES[wish])
