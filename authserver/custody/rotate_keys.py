"""Use cases: take the steps that are due. Safe in cron, on many nodes at once, and when killed at any point."""

from collections.abc import Callable, Sequence
from datetime import datetime

from authserver.custody.key_custody import KeyCustody, take_step
from authserver.keyring.key_set import KeySet
from authserver.keyring.keys import Purpose
from authserver.keyring.life_cycle import decide_due, decide_repair
from authserver.keyring.steps import Change, Promote, Step
from authserver.records.audit import Actor
from authserver.trusted_time import Trusted


def rotate_keys(custody: KeyCustody, at: Trusted, *, by: Actor) -> tuple[Step, ...]:
    """Take the steps that are due, each in its own transaction. The last step per purpose says what comes next.

    A rotation that another node has just done is not due. With a rotation interval, a rotation is due once per
    interval, and a server may call this at any frequency. Without one, it is due at every call for which the next key
    is ready.
    """

    def decide(keys: KeySet, purpose: Purpose, now: datetime) -> Step:
        return decide_due(keys, purpose, now, custody.times)

    return tuple(step for purpose in custody.list_purposes() for step in _repeat(custody, purpose, decide, by, at))


def repair_keys(custody: KeyCustody, *, by: Actor) -> tuple[Step, ...]:
    """Create missing keys only: all keys at the first `authserver init`, usually none later."""
    return _repair(custody, custody.list_purposes(), by)


def ensure_id_token_keys(custody: KeyCustody, algorithm: str, *, by: Actor) -> tuple[Step, ...]:
    """Make sure that `algorithm` has a key before a client asks for it. The first key signs at once, without waiting.

    Who cached the JWKS just before fetches it again for the new key: a client that is told to expect another algorithm
    has begun anew.
    """
    purpose = Purpose.of_id_tokens(algorithm)
    return _repair(custody, [purpose] if purpose in custody.list_purposes(asked=algorithm) else [], by)


def _repair(custody: KeyCustody, purposes: Sequence[Purpose], by: Actor) -> tuple[Step, ...]:
    def decide(keys: KeySet, purpose: Purpose, _now: datetime) -> Step:
        return decide_repair(keys, purpose)

    steps = (step for purpose in purposes for step in _repeat(custody, purpose, decide, by))
    return tuple(step for step in steps if isinstance(step, Change))


def _repeat(
    custody: KeyCustody,
    purpose: Purpose,
    decide: Callable[[KeySet, Purpose, datetime], Step],
    by: Actor,
    at: Trusted | None = None,
) -> list[Step]:
    steps: list[Step] = []
    while not steps or isinstance(steps[-1], Change):
        steps.append(take_step(custody, lambda keys, now: decide(keys, purpose, now), by=by, at=at))
        if isinstance(steps[-1], Promote):
            break  # without any waiting time, the key just published would be promoted, and so on without end
    return steps
