"""Arguments that are instants (`2026-01-31`, `2026-01-31T12:00`, or `24h` ago) or durations (`90m`)."""

import re
from datetime import UTC, datetime, timedelta

import click

_SPAN = re.compile(r"([0-9]{1,6})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}

Moment = datetime | timedelta
"""An instant, or how long ago it was."""


def read_moment(ctx: click.Context, param: click.Parameter, value: str | None) -> Moment | None:
    """Read an instant (a click callback). Without a zone it is in UTC."""
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
    """Read a duration (a click callback): `0`, or a number with a unit."""
    length = timedelta() if value == "0" else _read_span(value)
    if length is None:
        raise click.BadParameter(f"{value!r} is not a length of time like 90m, 24h or 7d", ctx, param)
    return length


def _read_span(text: str) -> timedelta | None:
    span = _SPAN.fullmatch(text)
    return None if span is None else timedelta(**{_UNITS[span[2]]: int(span[1])})


def resolve(moment: Moment | None, now: datetime) -> datetime | None:
    """Convert `moment` to an instant, relative to `now` if it is a duration."""
    if not isinstance(moment, timedelta):
        return moment
    # A duration that is longer than the calendar means its beginning.
    return now - min(moment, now - datetime.min.replace(tzinfo=UTC))
