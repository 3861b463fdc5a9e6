"""Which texts may come in at all."""

import re

_NOT_STORABLE = re.compile("[\\0\\ud800-\\udfff]")


def is_storable(text: str) -> bool:
    """Whether every engine can keep `text` as it is: no NUL (PostgreSQL refuses it), no lone surrogates (no UTF-8)."""
    return _NOT_STORABLE.search(text) is None
