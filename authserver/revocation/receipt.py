"""What a credential event ended, and when that is true everywhere."""

from dataclasses import dataclass
from datetime import datetime, timedelta

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
        sessions_ended: how many sessions this ended.
        sessions_kept: how many of the user's sessions live on; 0 for an event that is not about a user.
        mode: how the ended ones hear of it.
        token_version: the lowest version that still passes; None for an event that is not about a user.
        effective_by: after it no condemned access token passes at a resource server that follows the feed with
            the verifier's defaults.
        latest_by: after it none passes at any resource server.
    """

    event: str
    sessions_ended: int
    sessions_kept: int
    mode: Mode
    token_version: int | None
    effective_by: datetime
    latest_by: datetime


def bounds(now: datetime, access_token_lifetime: timedelta) -> tuple[datetime, datetime]:
    """`effective_by` and `latest_by` of an event that commits about `now`."""
    return now + FEED_STALENESS, now + access_token_lifetime + VERIFIER_LEEWAY
