"""Carries out credential events in the caller's transaction: decides by the policy, ends, then runs consequences."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from authserver.credentials.events import CredentialEvent
from authserver.credentials.policy_row import Mode, PolicyRow
from authserver.protocol.claims import AccessTokenClaims
from authserver.protocol.entropy import Entropy
from authserver.records.audit import Actor
from authserver.records.client_session import ClientSession
from authserver.records.family import Family
from authserver.records.session import Ended
from authserver.records.user import User
from authserver.revocation.consequences import follow
from authserver.revocation.difference import alters
from authserver.revocation.done import (
    Circumstances,
    ClientDeleted,
    ClientEnabled,
    Done,
    EventApplied,
    FamilyEnded,
    RetriedLate,
    SessionReplaced,
    TokenRevoked,
)
from authserver.revocation.ending import end_by_policy
from authserver.revocation.policy import RevocationPolicy
from authserver.revocation.receipt import Receipt, bounds
from authserver.storage import (
    Transaction,
    client_holdings,
    client_sessions,
    clients,
    codes,
    consents,
    device_authorizations,
    families,
    sessions,
    users,
)


@dataclass(frozen=True, slots=True)
class Revocation:
    """The only writer of password hashes, roles, account states, versions, and of the ends of sessions and families.

    Args:
        policy: what each event ends.
        access_token_lifetime: the installation's, for `latest_by` in receipts.
        entropy: randomness for the ids of what consequences write.
    """

    policy: RevocationPolicy
    access_token_lifetime: timedelta
    entropy: Entropy

    def apply(
        self,
        tx: Transaction,
        event: CredentialEvent,
        *,
        by: Actor,
        now: datetime,
        current: str | None = None,
        logout_devices: bool = True,
    ) -> Receipt:
        """Carry out `event` as the policy says.

        The user's row is locked first, so that two events about one user, or an event and a sign-in, happen one after
        the other.

        An event about a user who does not exist changes nothing; its receipt has no `token_version`, and it is recorded
        as a failure. An event that finds nothing left to end or to change (a second sign-out, a lock of a locked user)
        is a no-op: no version rises, and nothing is published, recorded or mailed, however often it is repeated.

        NOT checked: whether `by` may do this. The caller has done so.

        Args:
            tx: the caller's write transaction.
            event: what happened.
            by: who did it, for the audit record.
            now: the instant of the event.
            current: the `sid` of the session that asked, if one did. A session of another user is ignored.
            logout_devices: False spares the other devices, if the policy lets the client choose.

        Raises:
            AddressTakenError: the event gives the user an address that another user has. The transaction is lost.
        """
        ruling = self.policy.row(event).as_chosen(logout_devices=logout_devices)
        user_id = event.subject().user_id
        user = None if user_id is None else users.lock(tx, user_id)
        done = self._carry_out(tx, event, ruling, user, current, now)
        if not done.receipt.no_op:
            self._follow(tx, done, by, now)
        return done.receipt

    def end_session(self, tx: Transaction, user_id: str, sid: str, *, reason: str, by: Actor, now: datetime) -> None:
        """End one session because another one replaces it. The caller holds the user's row."""
        ended = Ended(now, reason, soft_logout=False)
        sids = sessions.end(tx, user_id, ended, only=sid)
        families.end_of_sessions(tx, sids, ended)
        codes.end_unused(tx, user_id, sids)
        known = client_sessions.end(tx, sids, now)
        self._follow(tx, SessionReplaced(user_id, sid, tuple(sids), reason, tuple(known)), by, now)

    def end_family(
        self, tx: Transaction, family: Family, *, reason: str, soft_logout: bool, by: Actor, now: datetime
    ) -> None:
        """End one family, if it has not ended; its session and the session's other families live on."""
        if families.end_one(tx, family.family_id, Ended(now, reason, soft_logout)):
            known = [] if soft_logout else _sign_client_out(tx, family, now)
            self._follow(tx, FamilyEnded(family, reason, tuple(known)), by, now)

    def end_access(
        self, tx: Transaction, user_id: str, client_id: str, *, reason: str, by: Actor, now: datetime
    ) -> int:
        """End the families and unused codes of one client for one user; return how many families there were.

        The caller holds the user's row.
        """
        held = families.list_of_client(tx, user_id, client_id)
        for family in held:
            self.end_family(tx, family, reason=reason, soft_logout=False, by=by, now=now)
        codes.end_unused(tx, user_id, client_id=client_id)
        device_authorizations.end_open(tx, user_id, now, client_id=client_id)
        return len(held)

    def end_token(self, tx: Transaction, claims: AccessTokenClaims, *, by: Actor, now: datetime) -> None:
        """End one access token; its session lives on.

        The caller holds the row of its user or client, and has seen in this transaction that the token is valid.
        Otherwise one access token would be enough to fill the feed and the audit record.
        """
        self._follow(tx, TokenRevoked(claims), by, now)

    def note_late_retry(self, tx: Transaction, family: Family, *, by: Actor, now: datetime) -> None:
        """Record a late retry in `family`; nothing ends."""
        self._follow(tx, RetriedLate(family), by, now)

    def enable_client(
        self, tx: Transaction, client_id: str, dead_fams: Sequence[str], *, by: Actor, now: datetime
    ) -> None:
        """Let a disabled client begin new families; the feed names `dead_fams`, so that they stay dead everywhere."""
        clients.enable(tx, client_id)
        self._follow(tx, ClientEnabled(client_id, tuple(dead_fams)), by, now)

    def delete_client(self, tx: Transaction, client_id: str, *, by: Actor, now: datetime) -> None:
        """Delete a disabled client that has no family left. Sessions of its users live on."""
        client_holdings.remove_client(tx, client_id)
        self._follow(tx, ClientDeleted(client_id), by, now)

    def _carry_out(
        self,
        tx: Transaction,
        event: CredentialEvent,
        ruling: PolicyRow,
        user: User | None,
        current: str | None,
        now: datetime,
    ) -> EventApplied:
        live = set() if user is None else {one.session.sid for one in sessions.list_live(tx, user.user_id, now)}
        ended = Ended(now, event.name, soft_logout=ruling.mode is Mode.SOFT)
        loss = end_by_policy(tx, event, ruling, user, current, ended)
        acts = loss.is_any or alters(event, user)
        token_version = None if user is None else user.token_version
        if user is not None and acts:
            token_version = _change_user(tx, event, ruling, user, now)
        notices = event.notices(user.email) if user is not None and acts and ruling.notify else ()
        receipt = Receipt(
            event=event.name,
            sessions_ended=len(live.intersection(loss.sids)),
            sessions_kept=len(live.difference(loss.sids)),
            mode=ruling.mode,
            token_version=token_version,
            **bounds(now, self.access_token_lifetime),
            links_ended=loss.links,
            mails=tuple(notice.template for notice in notices),
            no_op=not acts,
        )
        return EventApplied(event, ruling, user, current, loss, notices, receipt)

    def _follow(self, tx: Transaction, done: Done, by: Actor, now: datetime) -> None:
        follow(tx, done, Circumstances(by, now, self.entropy))


def _sign_client_out(tx: Transaction, family: Family, now: datetime) -> list[ClientSession]:
    """End what the client knows of the session in which `family` ended, unless it has another live family there."""
    sid, client_id = family.granted.sid, family.granted.client_id
    if families.has_live(tx, sid, client_id, now):
        return []
    return client_sessions.end(tx, [sid], now, client_id=client_id)


def _change_user(tx: Transaction, event: CredentialEvent, ruling: PolicyRow, user: User, now: datetime) -> int | None:
    """Write the event's changes of the user; return the lowest token version that is valid from now on."""
    token_version = users.raise_token_version(tx, user.user_id) if ruling.bump else user.token_version
    change = event.change().of_user(email_verified=user.email_verified)
    if change.forget_consents:
        consents.forget_all(tx, user.user_id)
    users.write_change(tx, user.user_id, change, raise_credentials=event.changes_credentials, now=now)
    return token_version
