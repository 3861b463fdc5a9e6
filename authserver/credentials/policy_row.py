"""The words of the revocation policy: what a credential event reaches, how it ends it, and what else it does.

Values only. Which event has which row is said in the event's own file; what settings make of it, and whether the result
can work, is decided in `revocation_policy`.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import assert_never


class Reach(StrEnum):
    """Which sessions end.

    *Current* is the session of the access token or sign-in cookie that was presented with the request, when it belongs
    to the user whom the event is about. Without one, `OTHERS` reaches everything: nothing is kept by mistake.
    """

    NONE = "none"
    CURRENT = "current"
    OTHERS = "others"
    ALL = "all"
    THIS_SESSION = "this_session"
    """The session that the event names, whoever asked."""
    THIS_CLIENT = "this_client"
    """All refresh token families of the client that the event names, of all users."""


class Mode(StrEnum):
    """What an ended session means to the program that held it (Matrix MSC1466)."""

    HARD = "hard"
    """Destroyed: discard everything (`soft_logout: false`)."""
    SOFT = "soft"
    """Ended, but local state and device id may be kept for the next sign-in (`soft_logout: true`)."""


class Spared(StrEnum):
    """What becomes of the devices that `logout_devices: false` spares."""

    ALIVE = "alive"
    """Their access tokens are stale; they refresh once and go on."""
    SOFT = "soft"
    """They are signed out softly, and sign in again with their local state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRow:
    """What one credential event does.

    Attributes:
        reach: which sessions end.
        mode: how they end.
        bump: raise the user's `token_version`, so that every access token issued before is stale.
        renew_current: the current session goes on under a new `sid` with new tokens; its old ones die.
        client_may_choose: `logout_devices: false` in the request spares the other devices.
        spared: what becomes of the other devices then.
        notify: tell the user by mail.
    """

    reach: Reach
    mode: Mode = Mode.HARD
    bump: bool = False
    renew_current: bool = False
    client_may_choose: bool = False
    spared: Spared = Spared.ALIVE
    notify: bool = False

    def as_chosen(self, *, logout_devices: bool) -> "PolicyRow":
        """The row as it stands for a client that chose, if it may."""
        if logout_devices or not self.client_may_choose:
            return self
        match self.spared:
            case Spared.ALIVE:
                return replace(self, reach=Reach.NONE)
            case Spared.SOFT:
                return replace(self, mode=Mode.SOFT)
            case _:
                assert_never(self.spared)
