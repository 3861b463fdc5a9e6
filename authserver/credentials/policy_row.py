"""The vocabulary of the revocation policy: which sessions a credential event ends, how, and what else it does.

Values only. Each event's file defines its row; `revocation_policy` applies the settings to it and checks the result.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import assert_never


class Reach(StrEnum):
    """Which sessions end.

    The *current* session is that of the access token or sign-in cookie in the request, if it belongs to the user whom
    the event is about. Without a current session, `OTHERS` reaches all sessions, so that none is kept by mistake.
    """

    NONE = "none"
    CURRENT = "current"
    OTHERS = "others"
    ALL = "all"
    THIS_SESSION = "this_session"
    """The session that the event names."""
    THIS_CLIENT = "this_client"
    """All refresh token families of the client that the event names, for all users."""


class Mode(StrEnum):
    """What the end of a session means for the client that held it (Matrix MSC1466)."""

    HARD = "hard"
    """Destroyed: discard everything (`soft_logout: false`)."""
    SOFT = "soft"
    """Ended, but local state and device id may be kept for the next sign-in (`soft_logout: true`)."""


class Spared(StrEnum):
    """What happens to the devices that `logout_devices: false` spares."""

    ALIVE = "alive"
    """Their access tokens are stale; they refresh once and continue."""
    SOFT = "soft"
    """They are soft-logged-out, and sign in again with their local state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRow:
    """The row of the revocation policy for one credential event.

    Attributes:
        reach: which sessions end.
        mode: how they end.
        bump: whether to raise the user's `token_version`, so that every access token issued before is stale.
        renew_current: whether the current session continues under a new `sid` with new tokens; its old ones die.
        client_may_choose: whether `logout_devices: false` in the request spares the other devices.
        spared: what happens to the other devices then.
        notify: whether to tell the user by mail.
    """

    reach: Reach
    mode: Mode = Mode.HARD
    bump: bool = False
    renew_current: bool = False
    client_may_choose: bool = False
    spared: Spared = Spared.ALIVE
    notify: bool = False

    def as_chosen(self, *, logout_devices: bool) -> "PolicyRow":
        """The row after the client's choice of `logout_devices`, if the client may choose."""
        if logout_devices or not self.client_may_choose:
            return self
        match self.spared:
            case Spared.ALIVE:
                return replace(self, reach=Reach.NONE)
            case Spared.SOFT:
                return replace(self, mode=Mode.SOFT)
            case _:
                assert_never(self.spared)
