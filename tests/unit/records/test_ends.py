"""When a family is over by itself, and how a user stands."""

from datetime import UTC, datetime, timedelta

import pytest

from authserver.records.family import GrantedAccess, NewFamily
from authserver.records.user import Standing

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
GRANTED = GrantedAccess("ada", "sid", "fam", "spa", "phone", "read", ("api",), NOW, ("pwd",), "acr")


@pytest.mark.parametrize(("idle", "absolute", "ends"), [(1, 2, 1), (2, 1, 1), (2, 2, 2)])
def test_a_family_is_over_when_idle_or_too_old_whichever_is_first(idle: int, absolute: int, ends: int) -> None:
    """RFC 9700 §4.14.2."""
    family = NewFamily(b"f" * 16, GRANTED, 1, "00000000", NOW + idle * HOUR, NOW + absolute * HOUR)
    assert family.ends_at == NOW + ends * HOUR


@pytest.mark.parametrize(
    ("locked_at", "disabled_at", "standing"),
    [
        (None, None, Standing.ACTIVE),
        (NOW, None, Standing.LOCKED),
        (None, NOW, Standing.DISABLED),
        (NOW, NOW, Standing.DISABLED),
    ],
)
def test_disabled_outweighs_locked(
    locked_at: datetime | None, disabled_at: datetime | None, standing: Standing
) -> None:
    assert Standing.of(locked_at, disabled_at) is standing
