"""Lists recent security events of an account, for its user (NIST SP 800-63B §4.6, ASVS 6.3.5)."""

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
"""Records that users are not shown: technical ones, and those that follow from a record that is shown."""


@dataclass(frozen=True, slots=True)
class SecurityEvents:
    """One page, newest first. `following` is the argument `after` for the next page; None on the last page."""

    records: list[AuditRecord]
    following: str | None


def list_security_events(realm: Realm, user_id: str, after: str = "") -> SecurityEvents:
    """List the user's records of the last `SHOWN` after the record `after`, or from the newest if it is unknown."""
    wanted = AuditFilter(user_id=user_id, since=realm.clock.now() - SHOWN, without=OF_OPERATORS)
    with realm.database.read() as tx:
        last = audit.find_of_user(tx, user_id, after) if is_storable(after) else None
        found = audit.list_page(tx, wanted, limit=PAGE + 1, after=last)
    records = found[:PAGE]
    return SecurityEvents(records, records[-1].event_id if len(found) > PAGE else None)
