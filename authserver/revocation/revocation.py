"""Carrying out credential events: decide by policy, end, bump, audit, in the caller's transaction."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never

from authserver.credentials.events import ClientDisabled, CredentialEvent, PasswordRehashed, PasswordSetByAdmin
from authserver.credentials.policy_row import Mode, Reach
from authserver.credentials.revocation_policy import RevocationPolicy
from authserver.protocol.entropy import Entropy, new_id
from authserver.revocation.receipt import Receipt, bounds
from authserver.sessions.family import Ended, Family
from authserver.storage import Transaction, audit, clients, families, sessions, users
from authserver.storage.audit import Actor, AuditRecord


@dataclass(frozen=True, slots=True)
class Revocation:
    """The one writer of password hashes and of the ends of sessions and families.

    Args:
        policy: what each event ends.
        access_token_lifetime: for the moments that a receipt names.
        entropy: for the ids of audit records.
    """

    policy: RevocationPolicy
    access_token_lifetime: timedelta
    entropy: Entropy

    def apply(
        self, tx: Transaction, event: CredentialEvent, *, by: Actor, now: datetime, current: str | None = None
    ) -> Receipt:
        """Carry out `event` as the policy says.

        The user's row is locked before anything else, so that two events about one user, or an event and a sign-in,
        happen one after the other. `current` is the `sid` of the session that asked, if one did; a session of
        another user is nobody's current one.

        What is NOT checked: whether `by` may do this. That is the caller's to know.
        """
        row = self.policy.row(event)
        subject = _Subject.of(event)
        if subject.user_id is not None:
            users.lock(tx, subject.user_id)
        _write_fact(tx, event, now)
        ended = Ended(now, event.name, soft_logout=row.mode is Mode.SOFT)
        sids = _end_reached(tx, row.reach, subject, current, ended)
        token_version = None
        if subject.user_id is not None:
            token_version = (
                users.raise_token_version(tx, subject.user_id)
                if row.bump
                else users.load_token_version(tx, subject.user_id)
            )
        self._record(tx, event.name, now, by, subject, {"sessions_ended": len(sids), "mode": row.mode})
        effective_by, latest_by = bounds(now, self.access_token_lifetime)
        return Receipt(
            event=event.name,
            sessions_ended=len(sids),
            sessions_kept=0 if subject.user_id is None else len(sessions.list_live(tx, subject.user_id, now)),
            mode=row.mode,
            token_version=token_version,
            effective_by=effective_by,
            latest_by=latest_by,
        )

    def end_session(self, tx: Transaction, user_id: str, sid: str, *, reason: str, by: Actor, now: datetime) -> None:
        """End one session that gives way to another one. The caller holds the user's row."""
        ended = Ended(now, reason, soft_logout=False)
        families.end_of_sessions(tx, sessions.end(tx, user_id, ended, only=sid), ended)
        self._record(tx, "session_ended", now, by, _Subject(user_id, sid), {"reason": reason})

    def end_family(
        self, tx: Transaction, family: Family, *, reason: str, soft_logout: bool, by: Actor, now: datetime
    ) -> None:
        """End one family; its session and the session's other families live on."""
        if families.end_one(tx, family.family_id, Ended(now, reason, soft_logout)):
            grant = family.grant
            subject = _Subject(grant.user_id, grant.sid, grant.client_id)
            self._record(tx, "family_ended", now, by, subject, {"reason": reason, "fam": grant.fam})

    def note(
        self, tx: Transaction, name: str, *, family: Family, by: Actor, now: datetime, outcome: str = "success"
    ) -> None:
        """Write an audit record about `family` that ends nothing."""
        grant = family.grant
        subject = _Subject(grant.user_id, grant.sid, grant.client_id)
        self._record(tx, name, now, by, subject, {"fam": grant.fam}, outcome)

    def _record(
        self,
        tx: Transaction,
        name: str,
        now: datetime,
        by: Actor,
        subject: "_Subject",
        detail: Mapping[str, str | int],
        outcome: str = "success",
    ) -> None:
        audit.append(
            tx,
            AuditRecord(
                event_id=new_id(self.entropy),
                at=now,
                name=name,
                outcome=outcome,
                actor=by,
                user_id=subject.user_id,
                sid=subject.sid,
                client_id=subject.client_id,
                detail={**detail, **({"kid": subject.kid} if subject.kid else {})},
            ),
        )


@dataclass(frozen=True, slots=True)
class _Subject:
    """What an event is about, by the field names that mean the same in all of them."""

    user_id: str | None = None
    sid: str | None = None
    client_id: str | None = None
    kid: str | None = None

    @classmethod
    def of(cls, event: CredentialEvent) -> "_Subject":
        return cls(*(getattr(event, field, None) for field in ("user_id", "sid", "client_id", "kid")))


def _write_fact(tx: Transaction, event: CredentialEvent, now: datetime) -> None:
    """Write what the event itself changes; most events change nothing but what they end."""
    match event:
        case PasswordRehashed():
            users.replace_hash(tx, event.user_id, replaces=event.replaces, password_hash=event.password_hash)
        case PasswordSetByAdmin():
            users.set_password(tx, event.user_id, event.password_hash, now)
        case ClientDisabled():
            clients.disable(tx, event.client_id, now)
        case _:
            pass


def _end_reached(tx: Transaction, reach: Reach, subject: _Subject, current: str | None, ended: Ended) -> list[str]:
    """End the sessions in reach with all their families; the `sid`s that this ended."""
    match reach:
        # This client's families end by its family version, however many they are.
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
    if subject.user_id is None or (reach is Reach.CURRENT and current is None):
        return []
    sids = sessions.end(tx, subject.user_id, ended, only=only, but=but)
    families.end_of_sessions(tx, sids, ended)
    return sids
