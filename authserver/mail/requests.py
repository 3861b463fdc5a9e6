"""Anonymous requests for a mail, which name an address. They are only queued; the outbox worker processes them later.

So the HTTP request takes the same time for a known and an unknown address (ASVS 6.3.8).
"""

from datetime import datetime
from typing import Final

from authserver.protocol.entropy import Entropy, new_id
from authserver.records.delivery import Rank
from authserver.records.mail_request import MailRequest
from authserver.records.queued_mail import Parameters
from authserver.storage import Transaction, deliveries

RESET_REQUEST: Final = "reset"
REGISTER_REQUEST: Final = "register"
RESEND_REQUEST: Final = "resend"
REQUESTS: Final = {RESET_REQUEST: Rank.URGENT, REGISTER_REQUEST: Rank.ROUTINE, RESEND_REQUEST: Rank.ROUTINE}
"""All requests, with their ranks."""


def queue_request(
    tx: Transaction, name: str, address: str, parameters: Parameters, *, now: datetime, entropy: Entropy
) -> None:
    """Queue a request about a canonical address. `parameters` hold no secret; a password hash does not count as one."""
    queued = MailRequest(new_id(entropy), name, address, parameters)
    deliveries.queue(tx, queued.as_delivery(), now, rank=REQUESTS[name])
