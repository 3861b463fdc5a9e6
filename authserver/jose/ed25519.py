"""Detects Ed25519 points of small order. Signatures under such a point can be made without any private key."""

from typing import Final

_P: Final = 2**255 - 19
_ORDER_8: Final = int.from_bytes(
    bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"
)
_SMALL_ORDERS: Final = frozenset({1, _P - 1, 0, _ORDER_8, _P - _ORDER_8})
"""The y coordinates of all points whose order divides 8; each belongs to the points x and -x."""


def has_small_order(encoded: bytes) -> bool:
    """Whether the public key `encoded` (32 bytes, RFC 8032 §5.1.2) is of small order, or not reduced.

    Does NOT check that the point is on the curve. A public key that was made from a private key passes.
    """
    y = int.from_bytes(encoded, "little") & (2**255 - 1)  # without the sign of x
    return y >= _P or y in _SMALL_ORDERS
