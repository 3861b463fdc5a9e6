"""The numbers that the contract fixes. No setting changes them."""

from datetime import timedelta
from typing import Final

REST_MARGIN: Final = timedelta(seconds=10)
"""How much longer a family rests than its retry window: the time that node clocks and a stalled request may differ."""
