"""Numbers that the contract fixes: no setting changes them."""

from datetime import timedelta
from typing import Final

REST_MARGIN: Final = timedelta(seconds=10)
"""By how much a family rests longer than its retry window: what clocks of nodes and a stalled request may differ by."""
