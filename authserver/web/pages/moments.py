"""Instants on pages: approximate in words, and exact."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from authserver.web.context import current_realm
from authserver.web.pages.languages import translate, translate_number

_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant: `said` in words, `exact` in UTC for people, `iso` for programs."""

    said: str
    exact: str
    iso: str


def describe_moment(at: datetime) -> Moment:
    """Describe an instant relative to now. It may lie in the future, if the clock of another node is ahead."""
    return Moment(_say(current_realm().clock.now() - at), f"{at:%Y-%m-%d %H:%M} UTC", f"{at:%Y-%m-%dT%H:%M:%SZ}")


def _say(ago: timedelta) -> str:
    if ago < _MINUTE:
        return translate("just now")
    if ago < _HOUR:
        return translate_number("%(number)d minute ago", "%(number)d minutes ago", ago // _MINUTE)
    if ago < _DAY:
        return translate_number("%(number)d hour ago", "%(number)d hours ago", ago // _HOUR)
    return translate_number("%(number)d day ago", "%(number)d days ago", ago // _DAY)
