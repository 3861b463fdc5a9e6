"""Carrying out credential events: decide by policy, end, bump, mail, write, audit, in the caller's transaction."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from authserver.credentials.events import CredentialEvent
from authserver.credentials.notice import Notice
from authserver.credentials.policy_row import Mode, PolicyRow
from authserver.credentials.revocation_policy import RevocationPolicy
from authserver.mail.queue import queue_mail
from authserver.protocol.audit_name import AuditName
from authserver.protocol.claims import AccessTokenClaims, UserToken
from authserver.protocol.entropy import Entropy, new_id
from authserver.protocol.revocation_feed import Entry, FamilyEntry, TokenEntry
from authserver.records.audit import Actor, Detail
from authserver.records.family import Family
from authserver.records.session import Ended
from authserver.records.user import User
from authserver.revocation.difference import alters, alters_user
from authserver.revocation.ending import Subject, end_by_policy
from authserver.revocation.publication import tell_ended, tell_subject, tell_user
from authserver.revocation.receipt import Receipt, bounds
from authserver.storage import Transaction, audit, codes, consents, families, feed, sessions, users


@dataclass(frozen=True, slots=True)
class Revocation:
    """The one writer of password hashes, roles, account states, versions, and of the ends of sessions and families.

    Args:
        policy: what each event ends.
        access_token_lifetime: for the moments that a receipt names.
        entropy: for the ids of audit records.
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

        The user's row is locked before anything else, so that two events about one user, or an event and a sign-in,
        happen one after the other.

        Args:
            tx: the caller's write transaction.
            event: what happened.
            by: who did it, for the audit record.
            now: the instant of the event.
            current: the `sid` of the session that asked, if one did; a session of another user is nobody's current one.
            logout_devices: False spares the other devices, where the policy lets the client choose.

        Raises:
            AddressTakenError: the event gives the user an address that another one has; the transaction is lost.

        What is NOT checked: whether `by` may do this. That is the caller's to know. An event about a user who does not
        exist changes nothing; its receipt has no `token_version`, and the record calls it a failure. An event that
        finds nothing left to end or to change (a second sign-out, a lock of a locked user) is a no-op: no version
        rises, and nothing is published, recorded or mailed, however often somebody repeats it.
        """
        subject, ruling = Subject.of(event), self.policy.row(event).as_chosen(logout_devices=logout_devices)
        user = None if subject.user_id is None else users.lock(tx, subject.user_id)
        ended = Ended(now, event.name, soft_logout=ruling.mode is Mode.SOFT)
        live = set() if user is None else {one.session.sid for one in sessions.list_live(tx, user.user_id, now)}
        loss = end_by_policy(tx, event, ruling, subject, user, current, ended)
        acts = loss.is_any or (alters(event) if user is None else alters_user(event, user))
        token_version = None if user is None else user.token_version
        mails: tuple[str, ...] = ()
        if user is not None and acts:
            mails = self._tell_user(tx, event.notices(user.email) if ruling.notify else (), user, current, now)
            token_version = self._change_user(tx, event, ruling, user, now)
        receipt = Receipt(
            event=event.name,
            sessions_ended=len(live.intersection(loss.sids)),
            sessions_kept=len(live.difference(loss.sids)),
            mode=ruling.mode,
            token_version=token_version,
            **bounds(now, self.access_token_lifetime),
            links_ended=loss.links,
            mails=mails,
            no_op=not acts,
        )
        if acts:
            self._publish(tx, tell_ended(loss.sids, loss.renewed, soft_logout=ended.soft_logout, now=now))
            self._publish(tx, tell_subject(subject.client_id, subject.kid, now))
            self._record_event(tx, event, subject, receipt, by=by, now=now)
        return receipt

    def _change_user(
        self, tx: Transaction, event: CredentialEvent, ruling: PolicyRow, user: User, now: datetime
    ) -> int | None:
        """Write what the event changes of the user, and publish it; the lowest version that passes from now on."""
        token_version = users.raise_token_version(tx, user.user_id) if ruling.bump else user.token_version
        change = event.change().of_user(email_verified=user.email_verified)
        if change.forget_consents:
            consents.forget_all(tx, user.user_id)
        users.write_change(tx, user.user_id, change, raise_credentials=event.changes_credentials, now=now)
        self._publish(tx, tell_user(event, ruling, user, token_version, now))
        return token_version

    def _tell_user(
        self, tx: Transaction, notices: tuple[Notice, ...], user: User, current: str | None, now: datetime
    ) -> tuple[str, ...]:
        """Queue the mails that the event causes; their templates."""
        for notice in notices:
            queue_mail(tx, notice, user=user, sid=current, now=now, entropy=self.entropy)
        return tuple(notice.template for notice in notices)

    def end_session(self, tx: Transaction, user_id: str, sid: str, *, reason: str, by: Actor, now: datetime) -> None:
        """End one session that gives way to another one. The caller holds the user's row."""
        ended = Ended(now, reason, soft_logout=False)
        sids = sessions.end(tx, user_id, ended, only=sid)
        families.end_of_sessions(tx, sids, ended)
        codes.end_unused(tx, user_id, sids)
        self._publish(tx, tell_ended(sids, [], soft_logout=False, now=now))
        self._record(tx, AuditName.SESSION_REPLACED, now, by, Subject(user_id, sid), {"reason": reason})

    def end_family(
        self, tx: Transaction, family: Family, *, reason: str, soft_logout: bool, by: Actor, now: datetime
    ) -> None:
        """End one family; its session and the session's other families live on."""
        if families.end_one(tx, family.family_id, Ended(now, reason, soft_logout)):
            grant = family.grant
            subject = Subject(grant.user_id, grant.sid, grant.client_id)
            self._publish(tx, [FamilyEntry(grant.fam, int(now.timestamp()))])
            self._record(tx, AuditName.TOKEN_REVOKED, now, by, subject, {"reason": reason, "fam": grant.fam})

    def end_grant(self, tx: Transaction, user_id: str, client_id: str, *, reason: str, by: Actor, now: datetime) -> int:
        """End all that one client holds of one user, codes too; how many families. The caller holds the user's row."""
        held = families.list_of_client(tx, user_id, client_id)
        for family in held:
            self.end_family(tx, family, reason=reason, soft_logout=False, by=by, now=now)
        codes.end_unused(tx, user_id, client_id=client_id)
        return len(held)

    def end_token(self, tx: Transaction, claims: AccessTokenClaims, *, by: Actor, now: datetime) -> None:
        """End one access token; its session lives on.

        The caller holds the row of its user or client and has seen in this transaction that the token lives, or
        anybody with one access token could fill feed and record with it.
        """
        user_id, sid = (claims.sub, claims.sid) if isinstance(claims, UserToken) else (None, None)
        subject = Subject(user_id, sid, claims.client_id)
        self._publish(tx, [TokenEntry(claims.jti, int(now.timestamp()))])
        self._record(tx, AuditName.TOKEN_REVOKED, now, by, subject, {"jti": claims.jti})

    def _publish(self, tx: Transaction, entries: Iterable[Entry]) -> None:
        """Put `entries` into the feed when the transaction commits."""
        for entry in entries:
            feed.append(tx, entry, new_id(self.entropy))

    def note(self, tx: Transaction, name: AuditName, *, family: Family, by: Actor, now: datetime) -> None:
        """Write an audit record about `family` that ends nothing."""
        grant = family.grant
        subject = Subject(grant.user_id, grant.sid, grant.client_id)
        self._record(tx, name, now, by, subject, {"fam": grant.fam})

    def _record_event(
        self,
        tx: Transaction,
        event: CredentialEvent,
        subject: Subject,
        receipt: Receipt,
        *,
        by: Actor,
        now: datetime,
    ) -> None:
        detail: dict[str, str | int | bool | None] = {"event": event.name, **event.facts()}
        if subject.kid is not None:
            detail["kid"] = subject.kid
        outcome = "success"
        if subject.user_id is not None and receipt.token_version is None:
            outcome, detail["reason"] = "failure", "no_such_user"
        elif subject.user_id is not None:
            detail |= {
                "mode": receipt.mode.value,
                "sessions_ended": receipt.sessions_ended,
                "sessions_kept": receipt.sessions_kept,
                "token_version": receipt.token_version,
            }
        self._record(tx, event.audit_name, now, by, subject, detail, outcome)

    def _record(
        self,
        tx: Transaction,
        name: AuditName,
        now: datetime,
        by: Actor,
        subject: Subject,
        detail: Detail,
        outcome: str = "success",
    ) -> None:
        audit.write(
            tx,
            name,
            by=by,
            now=now,
            entropy=self.entropy,
            outcome=outcome,
            user_id=subject.user_id,
            sid=subject.sid,
            client_id=subject.client_id,
            detail=detail,
        )
