"""A user was deleted."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar

from typing_extensions import override

from authserver.credentials.events.base import UserEvent
from authserver.credentials.notice import Notice
from authserver.credentials.policy_row import PolicyRow, Reach
from authserver.credentials.user_change import UserChange
from authserver.protocol.audit_name import AuditName

_EVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class UserDeleted(UserEvent):
    """`user_id` and everything that names them is gone; the audit record keeps the id."""

    name: ClassVar[str] = "user_deleted"
    audit_name: ClassVar[AuditName] = AuditName.USER_DELETED
    POLICY: ClassVar[PolicyRow] = PolicyRow(reach=Reach.ALL, bump=True, notify=True)
    adjustable: ClassVar[frozenset[str]] = frozenset({"notify"})
    changes_credentials: ClassVar[bool] = True

    @override
    def change(self) -> UserChange:
        return UserChange(deleted=True, ends_links_since=_EVER)

    @override
    def notices(self, address: str) -> tuple[Notice, ...]:
        return (Notice(self.name, address),)
