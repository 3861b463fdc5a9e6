"""Judges an access token by the stored state of its user, session and family."""

from dataclasses import dataclass
from datetime import datetime

from authserver.protocol.bearer_request import Scheme
from authserver.records.session import Ended
from authserver.records.user import Standing


@dataclass(frozen=True, slots=True)
class BearerRefused:
    """A refused access token. `code` is a code of the verifier (contract §6); `soft_logout` is for the client.

    `scheme` is the one by which the token has to be shown.
    `reason` is for the log. `detail` is for the other side, where the bland sentence would send it the wrong way.
    """

    code: str
    soft_logout: bool
    reason: str = ""
    scheme: Scheme = "Bearer"
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Presence:
    """The stored state of an access token's user, session and family at this moment."""

    standing: Standing
    token_version: int
    session_expires_at: datetime
    family_ends_at: datetime
    session_ended: Ended | None
    family_ended: Ended | None
    client_enabled: bool
    token_revoked: bool

    def is_over(self, now: datetime) -> bool:
        """Whether the session or the family has expired: idle for too long, or too old."""
        return now >= self.session_expires_at or now >= self.family_ends_at


def judge_bearer(
    presence: Presence | None, token_version: int, now: datetime, *, is_expired: bool, signing_out: bool
) -> BearerRefused | None:
    """Why a token with this version is refused at `now`; None if it is valid.

    Args:
        presence: the state of its user, session and family; None where one of them does not exist.
        token_version: the version in the token.
        now: the one clock reading for all comparisons.
        is_expired: whether its `exp` has passed. The refusal of an expired token still says whether its session can be
            resumed; such a token may be shown for years.
        signing_out: whether the token is used to end its own session. Then a locked user, a stale version or a soft end
            does not matter.
    """
    ended = _judge_session(presence, now, signing_out=signing_out)
    if is_expired:
        return BearerRefused("expired", soft_logout=ended is None or ended.soft_logout, reason="exp has passed")
    if ended is not None or signing_out:
        return ended
    return _judge_token(presence, token_version)


def _judge_session(presence: Presence | None, now: datetime, *, signing_out: bool) -> BearerRefused | None:
    if presence is None:
        return BearerRefused("session_revoked", soft_logout=False, reason="no such session")
    for ended in (presence.session_ended, presence.family_ended):
        if ended is not None and not (signing_out and ended.soft_logout):
            return BearerRefused("session_revoked", ended.soft_logout, ended.by)
    if presence.is_over(now) and not signing_out:
        return BearerRefused("session_revoked", soft_logout=True, reason="session or family past its end")
    return None


def _judge_token(presence: Presence | None, token_version: int) -> BearerRefused | None:
    if presence is None or not presence.client_enabled:
        return BearerRefused("client_disabled", soft_logout=False)
    if presence.token_revoked:
        return BearerRefused("token_revoked", soft_logout=True)
    if presence.standing is Standing.DISABLED:
        return BearerRefused("session_revoked", soft_logout=False, reason="user disabled")
    if presence.standing is Standing.LOCKED:
        return BearerRefused("user_locked", soft_logout=True)
    if token_version < presence.token_version:
        return BearerRefused("stale_token_version", soft_logout=True)
    return None
