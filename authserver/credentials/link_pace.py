"""How often links are mailed to one address. Anybody may ask for them by naming the address.

Two promises against strangers who ask: they cannot flood the mailbox, and they cannot leave its owner without a link.
So there is a pace. A link that exhausts it works until another one may be mailed, and for its usual time after that.
Whenever a request causes no mail, the newest mail holds a link that still works for a while.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from authserver.records.link import LinkPurpose

HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
MAILS_AN_HOUR: Final = 3
QUICK_MAILS_A_DAY: Final = 6
SLOW_PAUSE: Final = timedelta(hours=2)
SPARE: Final = timedelta(minutes=15)
"""The minimum time that a link works after the next one may be mailed."""


@dataclass(frozen=True, slots=True)
class Mailed:
    """A mailed link; `works_until` is None if it was used or ended."""

    issued_at: datetime
    works_until: datetime | None


def choose_lifetime(purpose: LinkPurpose, mailed: Sequence[Mailed], now: datetime) -> timedelta | None:
    """Choose the lifetime of a link mailed now, at least the usual one; None: send no mail, because others still work.

    `mailed` are the links of the same purpose that were issued within the last day, in any order.
    """
    most = purpose.most_live
    live = [link.works_until for link in mailed if link.works_until is not None and link.works_until > now]
    issued = [link.issued_at for link in mailed]
    if live and _find_next(issued, live, most, now) > now:
        return None
    following = _find_next([*issued, now], [*live, datetime.max.replace(tzinfo=now.tzinfo)], most, now)
    return max(purpose.lifetime, following - now + SPARE)


def _find_next(issued: Sequence[datetime], live: Sequence[datetime], most_live: int | None, now: datetime) -> datetime:
    """When the pace allows another link, if none is mailed meanwhile."""
    earliest = [now]
    in_an_hour = sorted(at for at in issued if at > now - HOUR)
    if len(in_an_hour) >= MAILS_AN_HOUR:
        earliest.append(in_an_hour[-MAILS_AN_HOUR] + HOUR)
    in_a_day = sorted(at for at in issued if at > now - DAY)
    if len(in_a_day) >= QUICK_MAILS_A_DAY:
        earliest.append(min(in_a_day[-QUICK_MAILS_A_DAY] + DAY, in_a_day[-1] + SLOW_PAUSE))
    if most_live is not None and len(live) >= most_live:
        earliest.append(sorted(live)[-most_live])
    return max(earliest)
