"""What happened to a user's account lately, for himself to look through (NIST SP 800-63B §4.6, ASVS 6.3.5)."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from authserver.protocol.audit_name import AuditName
from authserver.protocol.text import is_storable
from authserver.realm import Realm
from authserver.records.audit import AuditFilter, AuditRecord
from authserver.storage import audit

SHOWN: Final = timedelta(days=90)
PAGE: Final = 30

OF_OPERATORS: Final = frozenset(
    {AuditName.PASSWORD_REHASH, AuditName.TOKEN_LATE_RETRY, AuditName.TOKEN_REVOKED, AuditName.MAIL_GIVEN_UP}
)
"""What says nothing to the person: technical, or what follows from another record that is shown."""


@dataclass(frozen=True, slots=True)
class SecurityEvents:
    """One page, newest first. `following` leads to the next one; None on the last."""

    records: list[AuditRecord]
    following: str | None


def list_security_events(realm: Realm, user_id: str, after: str = "") -> SecurityEvents:
    """The records about the user that follow the one called `after`; from the newest on if there is none such."""
    wanted = AuditFilter(user_id=user_id, since=realm.clock.now() - SHOWN, without=OF_OPERATORS)
    with realm.database.read() as tx:
        last = audit.find_of_user(tx, user_id, after) if is_storable(after) else None
        found = audit.list_page(tx, wanted, limit=PAGE + 1, after=last)
    records = found[:PAGE]
    return SecurityEvents(records, records[-1].event_id if len(found) > PAGE else None)
