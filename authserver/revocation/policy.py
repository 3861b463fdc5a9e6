"""The revocation policy: for each credential event, which sessions end, and how.

Built once at the start from the events' own rows and the overrides in the settings. Every existing policy can be
applied: unknown names and impossible rows are refused here, all together. Decides nothing about a particular session;
ends nothing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any, final

from authserver.credentials.events import EVENTS, CredentialEvent
from authserver.credentials.events.base import ClientEvent, SessionEvent, UserEvent
from authserver.credentials.policy_row import Mode, PolicyRow, Reach

__all__ = ["Mode", "PolicyRow", "Reach", "RevocationPolicy", "RevocationPolicyError"]

Overrides = Mapping[str, Mapping[str, object]]
"""Event name → member of the row → value as written in the settings: `{"signed_out": {"mode": "soft"}}`."""

_MEMBERS = tuple(member.name for member in fields(PolicyRow))
_KEEPS_CURRENT = frozenset({Reach.NONE, Reach.OTHERS})
_WHOM: dict[Reach, type[CredentialEvent]] = {
    Reach.CURRENT: UserEvent,
    Reach.OTHERS: UserEvent,
    Reach.ALL: UserEvent,
    Reach.THIS_SESSION: SessionEvent,
    Reach.THIS_CLIENT: ClientEvent,
}
_NAMED: dict[type[CredentialEvent], str] = {UserEvent: "user_id", SessionEvent: "sid", ClientEvent: "client_id"}


class RevocationPolicyError(ValueError):
    """The policy is invalid; `problems` holds one sentence for each reason."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        """Keep all problems; the message joins them."""
        super().__init__(" ".join(problems))
        self.problems = problems


@final
class RevocationPolicy:
    """One row for each event, complete and checked.

    Args:
        overrides: the changes in the settings, by event name.
        events: all events.

    Raises:
        RevocationPolicyError: names every unknown event, unknown value and impossible row.
    """

    __slots__ = ("_rows",)

    def __init__(
        self, overrides: Overrides = MappingProxyType({}), events: tuple[type[CredentialEvent], ...] = EVENTS
    ) -> None:
        """Build and check the policy."""
        names = frozenset(event.name for event in events)
        problems = [f"There is no credential event {name!r}." for name in overrides if name not in names]
        rows = {event.name: _put_together(event, overrides.get(event.name, {}), problems) for event in events}
        if problems:
            raise RevocationPolicyError(tuple(problems))
        self._rows: Mapping[str, PolicyRow] = MappingProxyType(rows)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RevocationPolicy) and self._rows == other._rows

    def __hash__(self) -> int:
        return hash(tuple(self._rows.items()))

    @property
    def rows(self) -> Mapping[str, PolicyRow]:
        """All rows by event name, in the order of the events."""
        return self._rows

    def row(self, event: CredentialEvent | type[CredentialEvent] | str) -> PolicyRow:
        """The row of `event`, given as an instance, a type or a name; an unknown event raises `KeyError`."""
        return self._rows[event if isinstance(event, str) else event.name]


def _put_together(event: type[CredentialEvent], changes: Mapping[str, object], problems: list[str]) -> PolicyRow:
    found: list[str] = []
    row = replace(event.POLICY, **dict(_read(event, changes, found)))
    problems += [f"{event.name}: {problem}" for problem in found or _contradictions(event, row)]
    return row


def _read(
    event: type[CredentialEvent], changes: Mapping[str, object], problems: list[str]
) -> Iterator[tuple[str, Any]]:
    """Read the changes as values of a row; unknown and forbidden changes are added to `problems`."""
    for member, given in changes.items():
        if member not in _MEMBERS:
            problems.append(f"{member!r} is not one of {', '.join(_MEMBERS)}.")
            continue
        default = getattr(event.POLICY, member)
        choices = tuple(type(default)) if isinstance(default, StrEnum) else (False, True)
        value = next((choice for choice in choices if choice == given and isinstance(given, str | bool)), None)
        if value is None:
            problems.append(f"{member} must be one of {', '.join(map(_spell, choices))}, not {given!r}.")
        elif value != default and (refusal := _refuse(event, member, value)):
            problems.append(refusal)
        else:
            yield member, value


def _refuse(event: type[CredentialEvent], member: str, value: object) -> str | None:
    """Why settings may not give this value to this member of this event's row; None if they may."""
    if member == "reach":
        possible = {event.POLICY.reach, *event.other_reaches}
        allowed = ", ".join(reach for reach in Reach if reach in possible)
        return None if value in possible else f"reach cannot be {value}, only {allowed}."
    if member == "bump" and not issubclass(event, UserEvent):
        return "bump needs a user, and this event has none."
    if member not in event.adjustable:
        return f"{member} cannot be changed; it is always {_spell(getattr(event.POLICY, member))}."
    return None


def _contradictions(event: type[CredentialEvent], row: PolicyRow) -> Iterator[str]:
    """Find contradictions in a row of known values. Default rows are checked, too: an event's author can be wrong."""
    whom = _WHOM.get(row.reach)
    if whom is not None and not issubclass(event, whom):
        yield f"reach {row.reach} needs an event that names a {_NAMED[whom]}."
    if row.bump and not issubclass(event, UserEvent):
        yield "bump needs a user, and this event has none."
    if row.renew_current and not issubclass(event, UserEvent):
        yield "renew_current needs a user, and this event has none."
    if row.renew_current and row.reach not in _KEEPS_CURRENT:
        yield f"renew_current needs a current session that continues, and reach {row.reach} may end it."
    if row.client_may_choose and row.reach is not Reach.OTHERS:
        yield f"client_may_choose spares the other devices, so reach must be others, not {row.reach}."
    if row.notify and not issubclass(event, UserEvent):
        yield "notify needs a user to write to, and this event has none."


def _spell(value: object) -> str:
    """Write `value` as in the settings."""
    return str(value).lower() if isinstance(value, bool) else str(value)
