"""How the command line takes instants, `2026-01-31`, `2026-01-31T12:00`, or `24h` ago, and lengths of time, `90m`."""

import re
from datetime import UTC, datetime, timedelta

import click

_SPAN = re.compile(r"([0-9]{1,6})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}

Moment = datetime | timedelta
"""An instant, or the time since it."""


def read_moment(ctx: click.Context, param: click.Parameter, value: str | None) -> Moment | None:
    """A click callback: what was typed. Without a zone it is UTC."""
    ago = _read_span(value or "")
    if ago is not None:
        return ago
    try:
        moment = None if value is None else datetime.fromisoformat(value)
        if moment is None:
            return None
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        hint = "is neither a time like 2026-01-31T12:00 nor an age like 24h or 7d"
        raise click.BadParameter(f"{value!r} {hint}", ctx, param) from None


def read_length(ctx: click.Context, param: click.Parameter, value: str) -> timedelta:
    """A click callback: a length of time, `0` or a number with its unit."""
    length = timedelta() if value == "0" else _read_span(value)
    if length is None:
        raise click.BadParameter(f"{value!r} is not a length of time like 90m, 24h or 7d", ctx, param)
    return length


def _read_span(text: str) -> timedelta | None:
    span = _SPAN.fullmatch(text)
    return None if span is None else timedelta(**{_UNITS[span[2]]: int(span[1])})


def resolve(moment: Moment | None, now: datetime) -> datetime | None:
    """The instant that was meant."""
    if not isinstance(moment, timedelta):
        return moment
    # Longer ago than there are years is as good as the beginning.
    return now - min(moment, now - datetime.min.replace(tzinfo=UTC))
