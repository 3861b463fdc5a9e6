"""docs/revocation-policy.md has the default table as the events have it."""

from dataclasses import fields
from pathlib import Path

from authserver.credentials.events import EVENTS, CredentialEvent
from authserver.credentials.events.base import UserEvent
from authserver.credentials.policy_row import PolicyRow

DOCUMENT = Path(__file__).parents[2] / "docs" / "revocation-policy.md"
MEMBERS = tuple(member.name for member in fields(PolicyRow))


def spell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def changeable(event: type[CredentialEvent]) -> str:
    parts = [f"reach: {reach}" for reach in sorted(event.other_reaches)]
    parts += [member for member in MEMBERS if member in event.adjustable]
    if "notify" in parts and not issubclass(event, UserEvent):
        parts.remove("notify")
    return ", ".join(parts) or "nothing"


def row(event: type[CredentialEvent]) -> str:
    policy = event.POLICY
    cells = [f"`{event.name}`", *(spell(getattr(policy, member)) for member in MEMBERS if member != "spared")]
    return "| " + " | ".join([*cells, changeable(event)]) + " |"


def test_the_table_of_the_document_is_the_default_policy() -> None:
    """One table, in code; what is written is what is in force unless settings say otherwise."""
    written = [line for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    assert written == [row(event) for event in EVENTS]
