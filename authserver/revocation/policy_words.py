"""Explains a credential event in plain sentences, from its policy row and its changes only.

Each sentence states one effect that can be observed afterwards, and appears exactly when the effect occurs; tests
compare both. Nothing here depends on a particular user: a dry run counts the sessions that end.
"""

from collections.abc import Iterator
from enum import Enum
from typing import assert_never

from authserver.credentials.events import CredentialEvent
from authserver.credentials.policy_row import Mode, PolicyRow, Reach, Spared
from authserver.credentials.user_change import UserChange


class Sentence(Enum):
    """All sentences."""

    NOTHING_ENDS = "No session ends."
    CURRENT_ENDS = "The session that asks ends, with the refresh tokens of all its clients."
    OTHERS_END = "All sessions of the user end, except the one that asks."
    ALL_END = "All sessions of the user end."
    THIS_ENDS = "The session that the event names ends, with the refresh tokens of all its clients."
    CLIENT_ENDS = "All tokens of the client end, for all users; enabling the client again restores none."
    HARD = "Programs with an ended session must discard everything."
    SOFT = "Programs with an ended session may keep local data and sign in again on the same device."
    RENEWED = "The session that asks continues under a new sid with new tokens; copies of its old tokens are worthless."
    STALE = "All earlier access tokens of the user are stale; a program whose session continues refreshes once."
    SPARED_ALIVE = "With logout_devices false the other sessions continue: their programs refresh once."
    SPARED_SOFT = "With logout_devices false the other sessions end softly."
    NO_CHOICE = "logout_devices false changes nothing here."
    PASSWORD_SET = "The password changes."  # noqa: S105 - a sentence
    PASSWORD_REHASHED = "The password stays the same, with a new hash."  # noqa: S105 - a sentence
    PASSWORD_FORGOTTEN = "No password works before a reset; all consents for apps are removed."  # noqa: S105 - text
    ADDRESS_SET = "The user has the address that the event names, and it counts as confirmed."
    ROLES_SET = "The user has the roles that the event names; the next refresh carries them."
    LOCKED = (
        "Until the user is unlocked, tokens are refused softly and nobody can sign in; then the same tokens work again."
    )
    UNLOCKED = "The tokens that worked before the lock work again."
    DISABLED = "Nobody can sign in as the user until the user is enabled again."
    ENABLED = "The user may sign in again; ended sessions stay ended."
    DELETED = "The user is removed, with all data that names them except the audit record."
    SIGN_INS_FAIL = "A sign-in in progress fails."
    LINKS_END = "Mailed links that set a password or change the address no longer work."
    LATER_LINKS_END = "Links mailed after the one that was used no longer work."
    MAILED = "The user gets a mail."


def explain(event: CredentialEvent, row: PolicyRow, *, logout_devices: bool = True) -> tuple[Sentence, ...]:
    """The effects of `event` under `row`, the row in force; `logout_devices` is what the client asks for."""
    ruling = row.as_chosen(logout_devices=logout_devices)
    said = (
        _say_ends(event, ruling),
        _say_choice(row, logout_devices=logout_devices),
        _say_change(event.change()),
        _say_pending(event, ruling),
    )
    return tuple(sentence for part in said for sentence in part)


def _say_ends(event: CredentialEvent, ruling: PolicyRow) -> Iterator[Sentence]:
    yield _say_reach(ruling.reach)
    if ruling.reach not in {Reach.NONE, Reach.THIS_CLIENT}:
        yield Sentence.SOFT if ruling.mode is Mode.SOFT else Sentence.HARD
    if ruling.renew_current:
        yield Sentence.RENEWED
    if ruling.bump and not event.change().deleted:
        yield Sentence.STALE


def _say_reach(reach: Reach) -> Sentence:
    match reach:
        case Reach.NONE:
            return Sentence.NOTHING_ENDS
        case Reach.CURRENT:
            return Sentence.CURRENT_ENDS
        case Reach.OTHERS:
            return Sentence.OTHERS_END
        case Reach.ALL:
            return Sentence.ALL_END
        case Reach.THIS_SESSION:
            return Sentence.THIS_ENDS
        case Reach.THIS_CLIENT:
            return Sentence.CLIENT_ENDS
    assert_never(reach)


def _say_choice(row: PolicyRow, *, logout_devices: bool) -> Iterator[Sentence]:
    if not row.client_may_choose:
        if not logout_devices:
            yield Sentence.NO_CHOICE
    elif logout_devices:
        yield Sentence.SPARED_ALIVE if row.spared is Spared.ALIVE else Sentence.SPARED_SOFT


def _say_change(change: UserChange) -> Iterator[Sentence]:
    said = {
        Sentence.PASSWORD_SET: change.password_hash is not None and change.replaces is None,
        Sentence.PASSWORD_REHASHED: change.password_hash is not None and change.replaces is not None,
        Sentence.PASSWORD_FORGOTTEN: change.forget_password,
        Sentence.ADDRESS_SET: change.email is not None,
        Sentence.ROLES_SET: change.roles is not None,
        Sentence.LOCKED: change.locked is True,
        Sentence.UNLOCKED: change.locked is False,
        Sentence.DISABLED: change.disabled is True,
        Sentence.ENABLED: change.disabled is False,
        Sentence.DELETED: change.deleted,
    }
    yield from (sentence for sentence, is_so in said.items() if is_so)


def _say_pending(event: CredentialEvent, ruling: PolicyRow) -> Iterator[Sentence]:
    change = event.change()
    if event.changes_credentials:
        yield Sentence.SIGN_INS_FAIL
    if event.changes_credentials or ruling.reach in {Reach.OTHERS, Reach.ALL}:
        yield Sentence.LINKS_END
    if change.ends_links_since is not None and not change.deleted:
        yield Sentence.LATER_LINKS_END
    if ruling.notify:
        yield Sentence.MAILED
