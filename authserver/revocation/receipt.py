"""The receipt of a credential event: what it ended, and when that is in force at every resource server."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypedDict

from authserver.credentials.policy_row import Mode
from authserver.protocol.limits import FEED_STALENESS, LEEWAY


@dataclass(frozen=True, slots=True)
class Receipt:
    """The result of `Revocation.apply`.

    Attributes:
        event: the stable name of the event.
        sessions_ended: the number of live sessions that the event ended. Sessions that had expired are not counted.
        sessions_kept: the number of the user's sessions that stay live; 0 for an event that is not about a user.
        mode: what the end of a session means for its client.
        token_version: the lowest valid token version; None if the event is not about a user, or the user does not
            exist.
        effective_by: after this, no revoked access token passes at a resource server that follows the feed with the
            verifier's defaults.
        latest_by: after this, no revoked access token passes at any resource server.
        links_ended: the number of mailed links that still worked and no longer do.
        mails: the templates of the mails that the event causes.
        no_op: whether nothing was left to end or to change. Then nothing is written, and `token_version` is unchanged.
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
    """The two instants in a receipt, as keyword arguments."""

    effective_by: datetime
    latest_by: datetime


def bounds(now: datetime, access_token_lifetime: timedelta) -> Bounds:
    """Compute `effective_by` and `latest_by` of an event that commits at about `now`."""
    return {"effective_by": now + FEED_STALENESS, "latest_by": now + access_token_lifetime + LEEWAY}
