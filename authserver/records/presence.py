"""Whether an access token is good at this moment, by what is kept about its user, session and family."""

from dataclasses import dataclass
from datetime import datetime

from authserver.records.session import Ended
from authserver.records.user import Standing


@dataclass(frozen=True, slots=True)
class BearerRefused:
    """Why not. `code` is one of the verifier's (contract §6); `soft_logout` tells the client what to keep."""

    code: str
    soft_logout: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Presence:
    """What the database says about the bearer of an access token at this moment.

    `ends_at` is when session or family are over by themselves, whichever is first: idle for too long, or too old.
    """

    standing: Standing
    token_version: int
    ends_at: datetime
    session_ended: Ended | None
    family_ended: Ended | None
    client_enabled: bool
    token_revoked: bool
