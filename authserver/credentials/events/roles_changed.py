"""The roles of a user are others."""

from dataclasses import dataclass
from typing import ClassVar

from typing_extensions import override

from authserver.credentials.events.base import CredentialEvent
from authserver.credentials.policy_row import PolicyRow, Reach
from authserver.credentials.user_change import UserChange


@dataclass(frozen=True, slots=True)
class RolesChanged(CredentialEvent):
    """`roles` are all roles of `user_id` from now on. Sessions live: the next refresh carries them."""

    name: ClassVar[str] = "roles_changed"
    POLICY: ClassVar[PolicyRow] = PolicyRow(reach=Reach.NONE, bump=True)
    other_reaches: ClassVar[frozenset[Reach]] = frozenset({Reach.OTHERS, Reach.ALL})

    user_id: str
    roles: tuple[str, ...]

    @override
    def change(self) -> UserChange:
        return UserChange(roles=self.roles)
