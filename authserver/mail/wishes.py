"""Wishes: anonymous requests that name an address. They are only queued; the outbox worker processes them later.

So the HTTP request takes the same time for a known and an unknown address (ASVS 6.3.8).
"""

from datetime import datetime
from typing import Final

from authserver.protocol.entropy import Entropy, new_id
from authserver.records.delivery import Rank
from authserver.records.queued_mail import Parameters
from authserver.records.wish import Wish
from authserver.storage import Transaction, deliveries

RESET_WISH: Final = "reset"
REGISTER_WISH: Final = "register"
RESEND_WISH: Final = "resend"
WISHES: Final = {RESET_WISH: Rank.URGENT, REGISTER_WISH: Rank.ROUTINE, RESEND_WISH: Rank.ROUTINE}
"""All wishes, with their ranks."""


def queue_wish(
    tx: Transaction, wish: str, address: str, parameters: Parameters, *, now: datetime, entropy: Entropy
) -> None:
    """Queue a wish about a canonical address. `parameters` hold no secret; a password hash does not count as one."""
    queued = Wish(new_id(entropy), wish, address, parameters)
    deliveries.queue(tx, queued.as_delivery(), now, rank=WISHES[wish])
