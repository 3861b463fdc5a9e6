"""A text that must never be printed: passwords, client secrets, tokens."""

import hmac
from typing import Final, final


@final
class Secret:
    """A wrapped secret text. Logs, tracebacks and `repr` show nothing of it, not even its length."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        """Wrap `value`."""
        self._value: Final = value

    def reveal(self) -> str:
        """Return the text itself. Call this only where the text is consumed."""
        return self._value

    def __eq__(self, other: object) -> bool:
        """Compare in constant time."""
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(
            self._value.encode("utf-8", "surrogatepass"), other._value.encode("utf-8", "surrogatepass")
        )

    def __hash__(self) -> int:
        """Refuse to hash: a hash table of secrets would compare them in variable time."""
        message = "secrets are not hashable"
        raise TypeError(message)

    def __repr__(self) -> str:
        """Return a text that shows nothing of the value."""
        return "Secret()"

    __str__ = __repr__
