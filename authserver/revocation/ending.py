"""Ends what a credential event ends by the policy: sessions with their families, codes, links, a client.

Returns what it ended, without anything that had ended before. `revocation` does the rest. The caller holds the user's
row.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import assert_never

from authserver.credentials.events import CredentialEvent
from authserver.credentials.events.base import Subject
from authserver.credentials.policy_row import PolicyRow, Reach
from authserver.records.client_session import ClientSession
from authserver.records.session import Ended
from authserver.records.user import User
from authserver.storage import (
    Transaction,
    client_sessions,
    clients,
    codes,
    device_authorizations,
    families,
    links,
    sessions,
)


@dataclass(frozen=True, slots=True)
class Loss:
    """What an event ended.

    Attributes:
        sids: the sessions that ended.
        client_sessions: what clients know of these sessions. A renewed session continues, and clients come back to it.
        renewed: the current session, if it continues under a new `sid`.
        links: the number of mailed links.
        codes: the number of authorization codes.
        disabled_client: whether it disabled a client.
    """

    sids: list[str]
    client_sessions: list[ClientSession]
    renewed: list[str]
    links: int
    codes: int
    disabled_client: bool

    @property
    def is_any(self) -> bool:
        """Whether anything ended."""
        return bool(self.sids or self.renewed or self.links or self.codes or self.disabled_client)


def end_by_policy(
    tx: Transaction,
    event: CredentialEvent,
    ruling: PolicyRow,
    user: User | None,
    current: str | None,
    ended: Ended,
) -> Loss:
    """End everything in reach of `ruling` that has not ended yet."""
    subject = event.subject()
    if user is None:
        client_id = subject.client_id if ruling.reach is Reach.THIS_CLIENT else None
        disables = client_id is not None and clients.disable(tx, client_id, ended.at)
        return Loss([], [], [], 0, 0, disabled_client=disables)
    sids = _end_reached(tx, ruling.reach, user, subject, current, ended)
    renewed = _end_renewed(tx, user, current, ended) if ruling.renew_current else []
    codes_ended = _end_codes(tx, event, ruling, user, ended, [*sids, *renewed])
    links_ended = _end_links(tx, event, ruling, user, ended)
    known = client_sessions.end(tx, sids, ended.at)
    return Loss(sids, known, renewed, links_ended, codes_ended, disabled_client=False)


def _overtakes_all(event: CredentialEvent, ruling: PolicyRow) -> bool:
    """Whether the event ends all unused codes of the user, and all links that would change credentials (design §5)."""
    return event.changes_credentials or ruling.reach in {Reach.OTHERS, Reach.ALL}


def _end_codes(
    tx: Transaction, event: CredentialEvent, ruling: PolicyRow, user: User, ended: Ended, sids: Sequence[str]
) -> int:
    """End the unused authorization codes of the user, or of the sessions that ended; return how many.

    A device that waits gets a session of its own, so the end of one session leaves its code alone.
    """
    if _overtakes_all(event, ruling):
        return codes.end_unused(tx, user.user_id) + device_authorizations.end_open(tx, user.user_id, ended.at)
    return codes.end_unused(tx, user.user_id, sids) if sids else 0


def _end_links(tx: Transaction, event: CredentialEvent, ruling: PolicyRow, user: User, ended: Ended) -> int:
    """End the mailed links that the event makes invalid; return how many."""
    count = 0
    if _overtakes_all(event, ruling):
        count += links.end_pending(tx, user.user_id, ended)
    since = event.change().ends_links_since
    if since is not None:
        count += links.end_since(tx, user.user_id, since, ended)
    return count


def _end_reached(
    tx: Transaction, reach: Reach, user: User, subject: Subject, current: str | None, ended: Ended
) -> list[str]:
    """End the user's sessions in reach, with all their families; return their `sid`s."""
    match reach:
        # A client's families end by its family version: one row, however many families there are.
        case Reach.NONE | Reach.THIS_CLIENT:
            return []
        case Reach.ALL:
            only, but = None, None
        case Reach.OTHERS:
            only, but = None, current
        case Reach.CURRENT:
            only, but = current, None
        case Reach.THIS_SESSION:
            only, but = subject.sid, None
        case _:
            assert_never(reach)
    if reach is Reach.CURRENT and current is None:
        return []
    sids = sessions.end(tx, user.user_id, ended, only=only, but=but)
    families.end_of_sessions(tx, sids, ended)
    return sids


def _end_renewed(tx: Transaction, user: User, current: str | None, ended: Ended) -> list[str]:
    """End the current session softly, because it continues under a new `sid`; return its `sid`, if there is one."""
    if current is None:
        return []
    sids = sessions.end(tx, user.user_id, replace(ended, soft_logout=True), only=current)
    families.end_of_sessions(tx, sids, replace(ended, soft_logout=True))
    return sids
