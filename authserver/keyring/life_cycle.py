"""Decides which step is due, and what an operator's request means for the present keys. Rows and `now` in, a step out.

The states: next → active → retiring → retired, and compromised from any of them. A key signs only after it was
published for longer than a JWKS may be cached, and stays published until the last token that it signed has expired.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never

from authserver.keyring.key_set import KeySet
from authserver.keyring.keys import ALWAYS_KEPT, LIVE_STATES, KeyState, Purpose
from authserver.keyring.steps import (
    Activate,
    Compromise,
    Impossible,
    NothingDue,
    Promote,
    Redate,
    Retire,
    Stage,
    Step,
    TooEarly,
)
from authserver.trusted_time import TOLERANCE

DEFAULT_SIGNING_ALGORITHM = "ES256"
SETTLING = timedelta(seconds=5)
"""How long any key is stored before it is used. By then, every running server has read the keys again."""


@dataclass(frozen=True, slots=True)
class KeyTimes:
    """How long a key stays in each state.

    Attributes:
        jwks_max_age: how long a cached JWKS may lack a new key.
        retire_after: the longest lifetime of anything that a signing key signs, plus leeway and `jwks_max_age`.
        rotation_interval: how long a key is active before its rotation is due; zero: as soon as somebody asks.
        mac_retire_after: the longest idle lifetime of a refresh token.
    """

    jwks_max_age: timedelta
    retire_after: timedelta
    rotation_interval: timedelta
    mac_retire_after: timedelta

    def settling(self, purpose: Purpose) -> timedelta:
        """How long a key must be *next*, until everybody who needs it has it."""
        # A shorter max-age does not make our own servers publish the key sooner.
        return max(self.jwks_max_age, SETTLING) if purpose.is_public else SETTLING

    def retiring(self, purpose: Purpose) -> timedelta:
        """How long a key is *retiring* until everything that it made has expired."""
        return self.retire_after if purpose.is_public else self.mac_retire_after


def decide_repair(keys: KeySet, purpose: Purpose) -> Step:
    """Decide what is missing: first a key that signs, no matter how new; then a published key to follow it."""
    active, upcoming = keys.find_active(purpose), keys.find_next(purpose)
    if active is None and upcoming is None:
        return Activate(purpose, purpose.algorithm or DEFAULT_SIGNING_ALGORITHM)
    if active is None and upcoming is not None:
        return Promote(purpose, upcoming.kid, None, upcoming.algorithm)
    if active is not None and upcoming is None:
        return Stage(purpose, active.algorithm, withdrawn=None)
    return NothingDue()


def list_purposes(keys: KeySet, wanted: Collection[str]) -> list[Purpose]:
    """The purposes for which keys are kept.

    `wanted` are the algorithms that clients ask for by name. Each has keys of its own, unless the keys that sign access
    tokens have it now and after their next promotion. Keys of an algorithm that nobody wants any more are kept on.
    """
    common = {key.algorithm for key in keys.select(Purpose.SIGNING, KeyState.ACTIVE, KeyState.NEXT)}
    lacking = {Purpose.of_id_tokens(algorithm) for algorithm in wanted if common != {algorithm}}
    return [purpose for purpose in Purpose if purpose in {*ALWAYS_KEPT, *lacking} or keys.is_used(purpose)]


def decide_due(keys: KeySet, purpose: Purpose, now: datetime, times: KeyTimes) -> Step:
    """Decide the step that is due for `purpose`, the most urgent first.

    A key whose state begins in the future, because a clock was wrong, is redated: it would hold up the schedule.
    """
    repair = decide_repair(keys, purpose)
    if not isinstance(repair, NothingDue):
        return repair
    for key in keys.select(purpose, *LIVE_STATES):
        if key.since > now + TOLERANCE:
            return Redate(purpose, key.kid)
    for key in keys.select(purpose, KeyState.RETIRING):
        if key.retires_at is not None and key.retires_at <= now:
            return Retire(purpose, key.kid)
    active = keys.find_active(purpose)
    if active is not None and active.since + times.rotation_interval > now:
        return NothingDue(active.since + times.rotation_interval)
    return decide_promotion(keys, purpose, now, times)


def decide_promotion(keys: KeySet, purpose: Purpose, now: datetime, times: KeyTimes, *, force: bool = False) -> Step:
    """Decide how the next key becomes active: too early until everybody can have it, unless `force`."""
    active, upcoming = keys.find_active(purpose), keys.find_next(purpose)
    if upcoming is None:
        return Impossible(f"there is no next {purpose} key; stage one first")
    ready_at = upcoming.since + times.settling(purpose)
    if ready_at > now and not force:
        return TooEarly(upcoming.kid, ready_at)
    # A change of algorithm (`stage --alg`) is permanent, so the key after the next one uses it, too.
    return Promote(purpose, upcoming.kid, active.kid if active else None, upcoming.algorithm)


def decide_staging(keys: KeySet, purpose: Purpose, algorithm: str) -> Step:
    """Decide how the next key gets `algorithm`. A next key that already has it stays."""
    upcoming = keys.find_next(purpose)
    if upcoming is not None and upcoming.algorithm == algorithm:
        return NothingDue()
    return Stage(purpose, algorithm, withdrawn=upcoming.kid if upcoming else None)


def decide_import(keys: KeySet, kid: str, algorithm: str) -> Step:
    """Decide how a signing key made elsewhere becomes the next key. A key that was here before never returns."""
    known, upcoming = keys.find(kid), keys.find_next(Purpose.SIGNING)
    if known is None:
        return Stage(Purpose.SIGNING, algorithm, withdrawn=upcoming.kid if upcoming else None)
    return NothingDue() if known == upcoming else Impossible(f"key {kid} is here already: it is {known.state}")


def decide_retirement(keys: KeySet, kid: str, now: datetime, *, force: bool = False) -> Step:
    """Decide how `kid` retires: a next key at once (another replaces it), a retiring one when due or with `force`."""
    key = keys.find(kid)
    if key is None:
        return Impossible(f"there is no key {kid}")
    match key.state:
        case KeyState.NEXT:
            return Stage(key.purpose, key.algorithm, withdrawn=kid)
        case KeyState.ACTIVE:
            return Impossible(f"key {kid} is active: promote its successor first, or run keys compromise")
        case KeyState.RETIRING:
            if key.retires_at is not None and key.retires_at > now and not force:
                return TooEarly(kid, key.retires_at)
            return Retire(key.purpose, kid)
        case KeyState.RETIRED | KeyState.COMPROMISED:
            return NothingDue()
    assert_never(key.state)


def decide_compromise(keys: KeySet, kid: str) -> Step:
    """Decide how a compromised `kid` goes: at once, from any state. The next key then signs, no matter how new."""
    key = keys.find(kid)
    if key is None:
        return Impossible(f"there is no key {kid}")
    match key.state:
        case KeyState.ACTIVE:
            upcoming = keys.find_next(key.purpose)
            if upcoming is None:
                return Compromise(key.purpose, kid, None, key.algorithm)
            return Compromise(key.purpose, kid, upcoming.kid, upcoming.algorithm)
        case KeyState.NEXT:
            return Compromise(key.purpose, kid, None, key.algorithm)
        case KeyState.RETIRING | KeyState.RETIRED:
            return Compromise(key.purpose, kid, None, None)
        case KeyState.COMPROMISED:
            return NothingDue()
    assert_never(key.state)
