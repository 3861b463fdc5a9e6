"""Wishes: what strangers ask for by naming an address. Queued as they are, and looked at by the outbox worker alone.

So the request does the same work in the same time whether the address is known or not (ASVS 6.3.8).
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
"""All of them, with their ranks."""


def queue_wish(
    tx: Transaction, wish: str, address: str, parameters: Parameters, *, now: datetime, entropy: Entropy
) -> None:
    """Queue a wish about a canonical address. `parameters` hold no secret (a password hash is none)."""
    outbox.queue(tx, QueuedMail(new_id(entropy), wish, address, None, parameters), now, rank=WISHES[wish])
