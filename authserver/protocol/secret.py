"""A text that must never be printed: passwords, client secrets, tokens."""

import hmac
from typing import Final, final


@final
class Secret:
    """Wraps a secret text so that logs, tracebacks and `repr` show nothing of it, not even its length."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        """Wrap `value`."""
        self._value: Final = value

    def reveal(self) -> str:
        """The text itself. Call it only where the text is consumed."""
        return self._value

    def __eq__(self, other: object) -> bool:
        """Compare in constant time."""
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(
            self._value.encode("utf-8", "surrogatepass"), other._value.encode("utf-8", "surrogatepass")
        )

    def __hash__(self) -> int:
        """Refuse: a hash table of secrets compares them in variable time."""
        message = "secrets are not hashable"
        raise TypeError(message)

    def __repr__(self) -> str:
        """Nothing of the value."""
        return "Secret()"

    __str__ = __repr__
