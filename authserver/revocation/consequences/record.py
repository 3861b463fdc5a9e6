"""Consequence: the audit record, with what was done and by whom."""

from authserver.credentials.events.base import Subject
from authserver.protocol.audit_name import AuditName
from authserver.protocol.claims import UserToken
from authserver.records.audit import Detail
from authserver.records.family import Family
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
from authserver.storage import Transaction, audit


def record(tx: Transaction, done: Done, circumstances: Circumstances) -> None:
    """Write one audit record about `done`; a failure if its user does not exist."""
    subject = _name_subject(done)
    fails = isinstance(done, EventApplied) and subject.user_id is not None and done.user is None
    audit.write(
        tx,
        _name(done),
        by=circumstances.by,
        now=circumstances.now,
        entropy=circumstances.entropy,
        outcome="failure" if fails else "success",
        user_id=subject.user_id,
        sid=subject.sid,
        client_id=subject.client_id,
        detail=_describe(done),
    )


def _name(done: Done) -> AuditName:
    match done:
        case EventApplied(event=event):
            return event.audit_name
        case SessionReplaced():
            return AuditName.SESSION_REPLACED
        case FamilyEnded() | TokenRevoked():
            return AuditName.TOKEN_REVOKED
        case RetriedLate():
            return AuditName.TOKEN_LATE_RETRY
        case ClientEnabled():
            return AuditName.CLIENT_ENABLED
        case ClientDeleted():
            return AuditName.CLIENT_DELETED


def _name_subject(done: Done) -> Subject:
    match done:
        case EventApplied(event=event):
            return event.subject()
        case SessionReplaced(user_id=user_id, sid=sid):
            return Subject(user_id, sid)
        case FamilyEnded(family=family) | RetriedLate(family=family):
            return _name_owner(family)
        case TokenRevoked(claims=claims):
            if isinstance(claims, UserToken):
                return Subject(claims.sub, claims.sid, claims.client_id)
            return Subject(client_id=claims.client_id)
        case ClientEnabled(client_id=client_id) | ClientDeleted(client_id=client_id):
            return Subject(client_id=client_id)


def _name_owner(family: Family) -> Subject:
    return Subject(family.granted.user_id, family.granted.sid, family.granted.client_id)


def _describe(done: Done) -> Detail:
    match done:
        case EventApplied():
            return _describe_event(done)
        case SessionReplaced(reason=reason):
            return {"reason": reason}
        case FamilyEnded(family=family, reason=reason):
            return {"reason": reason, "fam": family.granted.fam}
        case RetriedLate(family=family):
            return {"fam": family.granted.fam}
        case TokenRevoked(claims=claims):
            return {"jti": claims.jti}
        case ClientEnabled() | ClientDeleted():
            return {}


def _describe_event(done: EventApplied) -> Detail:
    subject, receipt = done.event.subject(), done.receipt
    detail: dict[str, str | int | bool | None] = {"event": done.event.name, **done.event.facts()}
    if subject.kid is not None:
        detail["kid"] = subject.kid
    if subject.user_id is None:
        return detail
    if done.user is None:
        return detail | {"reason": "no_such_user"}
    return detail | {
        "mode": receipt.mode.value,
        "sessions_ended": receipt.sessions_ended,
        "sessions_kept": receipt.sessions_kept,
        "token_version": receipt.token_version,
    }
