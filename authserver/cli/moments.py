"""How the command line takes an instant: `2026-01-31`, `2026-01-31T12:00`, or how long ago, `90m`, `24h`, `7d`."""

import re
from datetime import UTC, datetime, timedelta

import click

_AGO = re.compile(r"([0-9]{1,6})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}

Moment = datetime | timedelta
"""An instant, or the time since it."""


def read_moment(ctx: click.Context, param: click.Parameter, value: str | None) -> Moment | None:
    """A click callback: what was typed. Without a zone it is UTC."""
    ago = _AGO.fullmatch(value or "")
    if ago is not None:
        return timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        moment = None if value is None else datetime.fromisoformat(value)
        if moment is None:
            return None
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        hint = "is neither an instant like 2026-01-31T12:00 nor a time ago like 24h or 7d"
        raise click.BadParameter(f"{value!r} {hint}", ctx, param) from None


def resolve(moment: Moment | None, now: datetime) -> datetime | None:
    """The instant that was meant."""
    if not isinstance(moment, timedelta):
        return moment
    # Longer ago than there are years is as good as the beginning.
    return now - min(moment, now - datetime.min.replace(tzinfo=UTC))
