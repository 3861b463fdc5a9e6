"""Why a refresh token could not simply be exchanged: the classification behind the one rotation statement.

The statement rotates, or changes nothing. Only if it changed nothing, the row is read and classified here (design §4).
Nothing in this file revokes: it says what happened, and the caller acts on it.
"""

from dataclasses import dataclass
from datetime import datetime

from authserver.protocol.limits import REST_MARGIN
from authserver.records.family import Family, LateRetryMark
from authserver.records.user import Standing
from authserver.sessions.lifetimes import RetryWindows
from authserver.sessions.scope import Allowance, Lost, find_loss


@dataclass(frozen=True, slots=True)
class Presented:
    """A refresh token whose MAC is right, and the request. `scope` and `audience` are None if the request names none.

    `allowance` is what the client may have now. `jkt` is the key that the request proves (RFC 9449 §5). With `binds`, a
    family that is not bound yet is bound to it from now on.
    """

    generation: int
    client_id: str
    allowance: Allowance
    scope: frozenset[str] | None = None
    audience: tuple[str, ...] | None = None
    jkt: str | None = None
    binds: bool = False


@dataclass(frozen=True, slots=True)
class Rotatable:
    """Nothing prevents the exchange any more: run the statement again."""


@dataclass(frozen=True, slots=True)
class Resting:
    """The current generation, while it rests after the last rotation: answer with itself, change nothing."""


@dataclass(frozen=True, slots=True)
class Overtaken:
    """An older generation whose request read the clock before the last rotation. The server was slow; not a reuse."""


@dataclass(frozen=True, slots=True)
class Retry:
    """The immediate predecessor, inside the retry window, its successor unused: answer as before, change nothing."""


@dataclass(frozen=True, slots=True)
class LateRetry:
    """The immediate predecessor after the retry window, once, and not in two consecutive generations: record it."""


@dataclass(frozen=True, slots=True)
class Reused:
    """Two parties hold tokens of the family. `consecutive_late_retries`: two late retries in a row are the proof."""

    consecutive_late_retries: bool


@dataclass(frozen=True, slots=True)
class Lapsed:
    """The predecessor came after every window. Owner and thief look alike, so the family ends with a soft logout."""


@dataclass(frozen=True, slots=True)
class Expired:
    """The family was idle for too long, or is past its absolute end."""


@dataclass(frozen=True, slots=True)
class Revoked:
    """The family was ended earlier, or its client is disabled."""

    soft_logout: bool


@dataclass(frozen=True, slots=True)
class UserRefused:
    """The user is locked (soft: the same token works after the unlock) or disabled."""

    soft_logout: bool


@dataclass(frozen=True, slots=True)
class Ahead:
    """A generation that the row has not reached: the database has lost commits. No attack; raise an alarm."""


@dataclass(frozen=True, slots=True)
class NotForClient:
    """The token was shown by another client than its own. This proves nothing against its owner."""


@dataclass(frozen=True, slots=True)
class NotForKey:
    """The request does not prove the key to which the family is bound. This proves nothing against its owner."""


@dataclass(frozen=True, slots=True)
class ScopeExceeded:
    """The request asks for more scope than was granted and is still allowed (RFC 6749 §6), or none is left."""


@dataclass(frozen=True, slots=True)
class AudienceExceeded:
    """The request names a resource that was not granted or is no longer allowed (RFC 8707 §2.2), or none is left."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """No such family: it was never issued here, or it ended so long ago that its row is gone."""


Excess = ScopeExceeded | AudienceExceeded
Refusal = Reused | Lapsed | Expired | Revoked | UserRefused | Ahead | NotForClient | NotForKey | Excess | Unknown
Classification = Rotatable | Resting | Retry | LateRetry | Overtaken | Refusal


def classify(family: Family | None, presented: Presented, windows: RetryWindows, now: datetime) -> Classification:  # noqa: C901, PLR0911, PLR0912 - one line per rule, in the order that decides
    """Classify why `presented` was not exchanged. The first rule that applies wins."""
    if family is None:
        return Unknown()
    if presented.client_id != family.granted.client_id:
        return NotForClient()
    lacks_key = family.bond is not None and family.bond.jkt != presented.jkt
    if lacks_key and not family.was_unbound(presented.generation):
        return NotForKey()
    if family.ended is not None:
        return Revoked(family.ended.soft_logout)
    if not family.client_enabled:
        return Revoked(soft_logout=False)
    if now >= family.ends_at:
        return Expired()
    if presented.generation > family.generation:
        return Ahead()
    if presented.generation < family.generation - 1:
        return Overtaken() if now < family.rotated_at else Reused(consecutive_late_retries=False)
    match family.standing:
        case Standing.LOCKED:
            return UserRefused(soft_logout=True)
        case Standing.DISABLED:
            return UserRefused(soft_logout=False)
        case Standing.ACTIVE:
            pass
    if lacks_key:
        return _classify_unbound(family, windows, now)
    excess = _find_excess(presented, family)
    if excess is not None:
        return excess
    if presented.generation == family.generation:
        return Rotatable() if family.rests_until is None or family.rests_until <= now else Resting()
    return _classify_predecessor(family, presented.generation, windows, now)


def _classify_unbound(family: Family, windows: RetryWindows, now: datetime) -> NotForKey | Lapsed:
    """Classify a generation from before the family was bound, shown without the key.

    A tab that has not heard of the key shows it soon. Later, whoever bound the family may have stolen it: owner and
    thief look alike. Without this, a thief could lock the owner out of the family and go unnoticed.
    """
    retry_end = _find_retry_end(family, None, windows)
    return NotForKey() if retry_end is not None and now < retry_end else Lapsed()


def _find_excess(presented: Presented, family: Family) -> Excess | None:
    """Find what the request asks beyond what is left of the granted access, or that nothing at all is left."""
    granted, asked = family.granted, presented
    lost = find_loss(
        granted.scope,
        granted.audience,
        asked.allowance,
        family.roles,
        asked_scope=asked.scope,
        asked_audience=asked.audience,
    )
    match lost:
        case None:
            return None
        case Lost.SCOPE:
            return ScopeExceeded()
        case Lost.AUDIENCE:
            return AudienceExceeded()


def _classify_predecessor(
    family: Family, generation: int, windows: RetryWindows, now: datetime
) -> Retry | LateRetry | Reused | Lapsed:
    """Classify `generation`, the predecessor of the current one, which is unused (or the row would be further on)."""
    mark = family.late_retry
    # The answer to a late retry can be lost, too. So the late retry opens a retry window of its own, once.
    repeated = mark if mark is not None and mark.generation == generation else None
    retry_end = _find_retry_end(family, repeated, windows)
    if retry_end is not None and now < retry_end:
        return Retry()
    # With a window of zero nothing is inside it, not even a request that read the clock before the rotation.
    if repeated is not None or not windows.late_retry_window or now >= family.rotated_at + windows.late_retry_window:
        return Lapsed()
    if mark is not None and mark.generation == generation - 1:
        return Reused(consecutive_late_retries=True)
    return LateRetry()


def _find_retry_end(family: Family, repeated: LateRetryMark | None, windows: RetryWindows) -> datetime | None:
    """The end of the retry window that the rotation opened. A later change of `windows` does not move it.

    A node of a release before the rests stored no end; then `windows` decide.
    """
    if family.rests_until is None:
        return None
    begun_at = family.rotated_at if repeated is None else repeated.at
    if family.rests_until <= begun_at:
        return begun_at + windows.retry_window if windows.retry_window else None
    return family.rests_until - REST_MARGIN
