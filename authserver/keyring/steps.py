"""The steps of a key's life, one per transaction. `life_cycle` decides the step; `take` computes its rows.

Every step that removes a *next* key adds another, so that a compromise always finds a successor. No order of kills and
re-runs leaves the JWKS without a key that may have signed a live token.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never

from authserver.keyring.errors import BrokenKeyError
from authserver.keyring.key_set import KeySet
from authserver.keyring.keys import KeyState, Purpose, StoredKey


@dataclass(frozen=True, slots=True)
class Activate:
    """No key signs and none is staged: a new key for `algorithm` signs at once."""

    purpose: Purpose
    algorithm: str


@dataclass(frozen=True, slots=True)
class Stage:
    """A new key for `algorithm` becomes the next key, in place of `withdrawn`, which never signed."""

    purpose: Purpose
    algorithm: str
    withdrawn: str | None


@dataclass(frozen=True, slots=True)
class Promote:
    """The next key `kid` signs, `predecessor` begins to retire, and a new key for `algorithm` becomes the next key."""

    purpose: Purpose
    kid: str
    predecessor: str | None
    algorithm: str


@dataclass(frozen=True, slots=True)
class Retire:
    """The key `kid` leaves the JWKS, and its private part is destroyed."""

    purpose: Purpose
    kid: str


@dataclass(frozen=True, slots=True)
class Redate:
    """A wrong clock wrote that `kid` entered its state in the future: the state now counts from the present."""

    purpose: Purpose
    kid: str


@dataclass(frozen=True, slots=True)
class Compromise:
    """The compromised key `kid` leaves at once.

    If it was active, `successor` signs now, or the new key if there is no successor. `algorithm` is that of the new
    key, which otherwise becomes the next key; None if `kid` leaves no gap.
    """

    purpose: Purpose
    kid: str
    successor: str | None
    algorithm: str | None


@dataclass(frozen=True, slots=True)
class NothingDue:
    """Nothing to do until the given time; None: until somebody asks for a rotation."""

    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class TooEarly:
    """The key `kid` is not ready before `ready_at`."""

    kid: str
    ready_at: datetime


@dataclass(frozen=True, slots=True)
class Impossible:
    """A request that does not fit the present keys. `reason` is one line for the operator."""

    reason: str


Change = Activate | Stage | Promote | Retire | Redate | Compromise
Step = Change | NothingDue | TooEarly | Impossible


def find_fresh_algorithm(step: Change) -> str | None:
    """The algorithm of the new key that `step` needs; None if it needs none."""
    return None if isinstance(step, Retire | Redate) else step.algorithm


def take(
    step: Change, keys: KeySet, fresh: StoredKey | None, now: datetime, retiring: timedelta
) -> tuple[StoredKey, ...]:
    """The rows that `step` changes or adds, in their new form, ordered so that no two keys ever share a place.

    `fresh` is a new *next* key for `find_fresh_algorithm`; a retiring key retires for `retiring`.
    """
    changed: list[StoredKey]
    match step:
        case Activate():
            changed = [_given(fresh).activate(now)]
        case Stage():
            changed = [_given(fresh)]
            if step.withdrawn is not None:
                changed.insert(0, keys.load(step.withdrawn).retire(now))
        case Promote():
            changed = [keys.load(step.kid).activate(now), _given(fresh)]
            if step.predecessor is not None:
                changed.insert(0, keys.load(step.predecessor).begin_retiring(now, retiring))
        case Retire():
            changed = [keys.load(step.kid).retire(now)]
        case Redate():
            changed = [keys.load(step.kid).redate(now, retiring)]
        case Compromise():
            changed = [keys.load(step.kid).compromise(now), *_fill_gap(step, keys, fresh, now)]
        case _:
            assert_never(step)
    return tuple(changed)


def _fill_gap(step: Compromise, keys: KeySet, fresh: StoredKey | None, now: datetime) -> tuple[StoredKey, ...]:
    if step.algorithm is None:
        return ()
    if step.successor is not None:
        return (keys.load(step.successor).activate(now), _given(fresh))
    was_active = keys.load(step.kid).state is KeyState.ACTIVE
    return (_given(fresh).activate(now) if was_active else _given(fresh),)


def _given(fresh: StoredKey | None) -> StoredKey:
    if fresh is None:
        raise BrokenKeyError("this step needs a new key")
    return fresh
