"""What a credential event ended, and when that is true everywhere."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypedDict

from authserver.credentials.policy_row import Mode

FEED_STALENESS = timedelta(seconds=10)
"""How old a follower's picture of the revocation feed may be before it refuses, with the verifier's defaults."""

VERIFIER_LEEWAY = timedelta(seconds=30)
"""The largest clock difference that a resource server may grant (contract §1)."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The result of `Revocation.apply`.

    Attributes:
        event: the stable name of the event.
        sessions_ended: how many live sessions this ended. One that was idle or expired before is over, and not counted.
        sessions_kept: how many of the user's sessions live on; 0 for an event that is not about a user.
        mode: how the ended ones hear of it.
        token_version: the lowest version that still passes; None for an event that is not about a user, or about one
            who does not exist.
        effective_by: after it no condemned access token passes at a resource server that follows the feed with
            the verifier's defaults.
        latest_by: after it none passes at any resource server.
        links_ended: how many mailed links that still worked are dead now.
        mails: the templates of the mails that tell of it.
        no_op: whether nothing was left to end or to change. Nothing is written then, and `token_version` is the one
            that was there.
    """

    event: str
    sessions_ended: int
    sessions_kept: int
    mode: Mode
    token_version: int | None
    effective_by: datetime
    latest_by: datetime
    links_ended: int = 0
    mails: tuple[str, ...] = ()
    no_op: bool = False


class Bounds(TypedDict):
    """The two moments that a receipt names."""

    effective_by: datetime
    latest_by: datetime


def bounds(now: datetime, access_token_lifetime: timedelta) -> Bounds:
    """`effective_by` and `latest_by` of an event that commits about `now`."""
    return {"effective_by": now + FEED_STALENESS, "latest_by": now + access_token_lifetime + VERIFIER_LEEWAY}
