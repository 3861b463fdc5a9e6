"""The roles of a user were changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from typing_extensions import override

from authserver.credentials.events.base import UserEvent
from authserver.credentials.policy_row import PolicyRow, Reach
from authserver.credentials.user_change import UserChange
from authserver.protocol.audit_name import AuditName


@dataclass(frozen=True, slots=True)
class RolesChanged(UserEvent):
    """`roles` are all roles of `user_id` from now on. Sessions continue; their next refresh carries the new roles."""

    name: ClassVar[str] = "roles_changed"
    audit_name: ClassVar[AuditName] = AuditName.ROLES_CHANGE
    POLICY: ClassVar[PolicyRow] = PolicyRow(reach=Reach.NONE, bump=True)
    other_reaches: ClassVar[frozenset[Reach]] = frozenset({Reach.OTHERS, Reach.ALL})

    roles: tuple[str, ...]

    @override
    def facts(self) -> Mapping[str, str]:
        return {"roles": " ".join(self.roles)}

    @override
    def change(self) -> UserChange:
        return UserChange(roles=self.roles)
