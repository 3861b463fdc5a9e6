"""All keys of an installation as rows, with the queries that the life cycle needs."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from authserver.keyring.errors import BrokenKeyError
from authserver.keyring.keys import LIVE_STATES, KeyState, Purpose, StoredKey


@dataclass(frozen=True, slots=True)
class KeySet:
    """The rows, oldest first. Two active or two next keys of one purpose are ambiguous, and refused."""

    rows: tuple[StoredKey, ...]

    def __post_init__(self) -> None:
        """Refuse two active or two next keys of one purpose."""
        for purpose in Purpose:
            for state in (KeyState.ACTIVE, KeyState.NEXT):
                kids = [key.kid for key in self.select(purpose, state)]
                if len(kids) > 1:
                    raise BrokenKeyError(f"more than one {purpose} key is {state}: {', '.join(kids)}")

    def select(self, purpose: Purpose, *states: KeyState) -> Iterator[StoredKey]:
        """The keys of one purpose in any of `states`."""
        return (key for key in self.rows if key.purpose is purpose and key.state in states)

    def find_active(self, purpose: Purpose) -> StoredKey | None:
        """The active key of `purpose`, or None."""
        return next(self.select(purpose, KeyState.ACTIVE), None)

    def find_next(self, purpose: Purpose) -> StoredKey | None:
        """The next key of `purpose`, or None."""
        return next(self.select(purpose, KeyState.NEXT), None)

    def is_used(self, purpose: Purpose) -> bool:
        """Whether any key of `purpose` is published or in use."""
        return next(self.select(purpose, *LIVE_STATES), None) is not None

    def find(self, kid: str) -> StoredKey | None:
        """The key called `kid`."""
        return next((key for key in self.rows if key.kid == kid), None)

    def load(self, kid: str) -> StoredKey:
        """The key called `kid`, which a step has just named; `BrokenKeyError` if it is gone."""
        key = self.find(kid)
        if key is None:
            raise BrokenKeyError(f"key {kid} is gone")
        return key

    def as_of(self, now: datetime) -> "KeySet":
        """A copy in which each key whose retirement is due is retired, even if no row says so yet."""
        return KeySet(
            tuple(
                key.retire(key.retires_at)
                if key.state is KeyState.RETIRING and key.retires_at is not None and key.retires_at <= now
                else key
                for key in self.rows
            )
        )

    @property
    def sealed(self) -> list[str]:
        """The sealed private parts, those of the active keys first. They show which master key is in use."""
        ranked = sorted(self.rows, key=lambda key: key.state is not KeyState.ACTIVE)
        return [key.sealed for key in ranked if key.sealed is not None]
