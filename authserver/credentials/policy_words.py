"""What a credential event does, in plain sentences: from its row and what it writes, and from nothing else.

Each sentence says one thing that can be looked up afterwards, and is said exactly when it is so; tests compare them
with what happens. Says nothing about a particular user: how many sessions end is what a dry run counts.
"""

from collections.abc import Iterator
from enum import Enum
from typing import assert_never

from authserver.credentials.events import CredentialEvent
from authserver.credentials.policy_row import Mode, PolicyRow, Reach, Spared
from authserver.credentials.user_change import UserChange


class Sentence(Enum):
    """All that can be said."""

    NOTHING_ENDS = "No session ends."
    CURRENT_ENDS = "The session that asks ends, with the refresh tokens of all its clients."
    OTHERS_END = "All sessions of the user end but the one that asks."
    ALL_END = "All sessions of the user end."
    THIS_ENDS = "The session that the event names ends, with the refresh tokens of all its clients."
    CLIENT_ENDS = "All that the client holds ends, of all users; enabling it again revives nothing."
    HARD = "Programs that hold an ended session are told to discard everything."
    SOFT = "Programs that hold an ended session may keep their local data and sign in again on the same device."
    RENEWED = (
        "The session that asks goes on under another sid and with new tokens; copies of its old ones are worthless."
    )
    STALE = "All access tokens issued to the user before are stale; a program whose session goes on refreshes once."
    SPARED_ALIVE = "With logout_devices false the other sessions live: their programs refresh once and go on."
    SPARED_SOFT = "With logout_devices false the other sessions end softly."
    NO_CHOICE = "logout_devices false changes nothing here."
    PASSWORD_SET = "The password is another one."  # noqa: S105 - a sentence
    PASSWORD_REHASHED = "The password is the same, under another hash."  # noqa: S105 - a sentence
    PASSWORD_FORGOTTEN = "No password works before a reset; what apps were allowed is forgotten."  # noqa: S105 - text
    ADDRESS_SET = "The address that the event names is the user's, and counts as confirmed."
    ROLES_SET = "The roles are those that the event names; the next refresh carries them."
    LOCKED = "Until the lock is lifted, tokens are refused softly and nobody signs in; then the same tokens work again."
    UNLOCKED = "The tokens that worked before the lock work again."
    DISABLED = "Nobody signs in as the user until he is enabled again."
    ENABLED = "The user may sign in again; what had ended stays dead."
    DELETED = "The user is removed with everything that names him but the audit record."
    SIGN_INS_FAIL = "A sign-in that is under way fails."
    LINKS_END = "Mailed links that wait to set a password or to change the address are dead."
    LATER_LINKS_END = "All links mailed after the one that was used are dead."
    MAILED = "The user is told by mail."


def explain(event: CredentialEvent, row: PolicyRow, *, logout_devices: bool = True) -> tuple[Sentence, ...]:
    """What `event` does under `row`, the one in force; `logout_devices` is what the client asks for."""
    ruling = row.as_chosen(logout_devices=logout_devices)
    said = (
        _tell_ends(event, ruling),
        _tell_choice(row, logout_devices=logout_devices),
        _tell_change(event.change()),
        _tell_pending(event, ruling),
    )
    return tuple(sentence for part in said for sentence in part)


def _tell_ends(event: CredentialEvent, ruling: PolicyRow) -> Iterator[Sentence]:
    yield _tell_reach(ruling.reach)
    if ruling.reach not in {Reach.NONE, Reach.THIS_CLIENT}:
        yield Sentence.SOFT if ruling.mode is Mode.SOFT else Sentence.HARD
    if ruling.renew_current:
        yield Sentence.RENEWED
    if ruling.bump and not event.change().deleted:
        yield Sentence.STALE


def _tell_reach(reach: Reach) -> Sentence:
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


def _tell_choice(row: PolicyRow, *, logout_devices: bool) -> Iterator[Sentence]:
    if not row.client_may_choose:
        if not logout_devices:
            yield Sentence.NO_CHOICE
    elif logout_devices:
        yield Sentence.SPARED_ALIVE if row.spared is Spared.ALIVE else Sentence.SPARED_SOFT


def _tell_change(change: UserChange) -> Iterator[Sentence]:
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


def _tell_pending(event: CredentialEvent, ruling: PolicyRow) -> Iterator[Sentence]:
    change = event.change()
    if event.changes_credentials:
        yield Sentence.SIGN_INS_FAIL
    if event.changes_credentials or ruling.reach in {Reach.OTHERS, Reach.ALL}:
        yield Sentence.LINKS_END
    if change.ends_links_since is not None and not change.deleted:
        yield Sentence.LATER_LINKS_END
    if ruling.notify:
        yield Sentence.MAILED
