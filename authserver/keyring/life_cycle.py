"""Which step is due, and what an operator's wish means for the keys as they are. Pure: rows and `now` in, a step out.

next → active → retiring → retired, and compromised from anywhere. A key signs only after it was published for longer
than a JWKS may be cached, and stays published until the last token that it signed has expired.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never

from authserver.keyring.key_set import KeySet
from authserver.keyring.keys import LIVE_STATES, MAC_ALGORITHM, KeyState, Purpose
from authserver.keyring.steps import (
    Activate,
    Compromise,
    NothingDue,
    Promote,
    Redate,
    Refused,
    Retire,
    Stage,
    Step,
    TooEarly,
)
from authserver.trusted_time import TOLERANCE

DEFAULT_SIGNING_ALGORITHM = "ES256"
SETTLING = timedelta(seconds=5)
"""How long any key is known before it is used: every running server has read the keys again by then."""


@dataclass(frozen=True, slots=True)
class KeyTimes:
    """How long a key stays where it is.

    Attributes:
        jwks_max_age: for so long a cached JWKS may lack a new key.
        retire_after: the longest life of anything that a signing key signs, plus leeway and `jwks_max_age`.
        rotation_interval: how long a key is active before its rotation is due; zero: as soon as somebody asks.
        mac_retire_after: the longest idle lifetime of a refresh token.
    """

    jwks_max_age: timedelta
    retire_after: timedelta
    rotation_interval: timedelta
    mac_retire_after: timedelta

    def settling(self, purpose: Purpose) -> timedelta:
        """How long a key is *next* until everybody who must know it does."""
        # A shorter max-age makes none of our own servers publish the key any sooner.
        return max(self.jwks_max_age, SETTLING) if purpose is Purpose.SIGNING else SETTLING

    def retiring(self, purpose: Purpose) -> timedelta:
        """How long a key is *retiring* until everything that it made has expired."""
        return self.retire_after if purpose is Purpose.SIGNING else self.mac_retire_after


def decide_repair(keys: KeySet, purpose: Purpose) -> Step:
    """What is missing: a key that signs, however new it is, and then one that is published to follow it."""
    active, upcoming = keys.find_active(purpose), keys.find_next(purpose)
    if active is None and upcoming is None:
        return Activate(purpose, DEFAULT_SIGNING_ALGORITHM if purpose is Purpose.SIGNING else MAC_ALGORITHM)
    if active is None and upcoming is not None:
        return Promote(purpose, upcoming.kid, None, upcoming.algorithm)
    if active is not None and upcoming is None:
        return Stage(purpose, active.algorithm, withdrawn=None)
    return NothingDue()


def decide_due(keys: KeySet, purpose: Purpose, now: datetime, times: KeyTimes) -> Step:
    """The step that is due for `purpose`, the most urgent first.

    A key whose state begins in the future, because the clock was wrong once, would hold up the schedule until then.
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
    """The next key is to sign: too early until everybody can know it, unless `force`."""
    active, upcoming = keys.find_active(purpose), keys.find_next(purpose)
    if upcoming is None:
        return Refused(f"there is no next {purpose} key; stage one first")
    ready_at = upcoming.since + times.settling(purpose)
    if ready_at > now and not force:
        return TooEarly(upcoming.kid, ready_at)
    # Another algorithm than before (`stage --alg`) is a choice for good: the key after the next one has it, too.
    return Promote(purpose, upcoming.kid, active.kid if active else None, upcoming.algorithm)


def decide_staging(keys: KeySet, purpose: Purpose, algorithm: str) -> Step:
    """The next key is to be for `algorithm`. One that is so already stays."""
    upcoming = keys.find_next(purpose)
    if upcoming is not None and upcoming.algorithm == algorithm:
        return NothingDue()
    return Stage(purpose, algorithm, withdrawn=upcoming.kid if upcoming else None)


def decide_import(keys: KeySet, kid: str, algorithm: str) -> Step:
    """A signing key made elsewhere is to be the next one. A key that was here before never comes back."""
    known, upcoming = keys.find(kid), keys.find_next(Purpose.SIGNING)
    if known is None:
        return Stage(Purpose.SIGNING, algorithm, withdrawn=upcoming.kid if upcoming else None)
    return NothingDue() if known == upcoming else Refused(f"key {kid} is here already: it is {known.state}")


def decide_retirement(keys: KeySet, kid: str, now: datetime, *, force: bool = False) -> Step:
    """`kid` is to go: a next key at once (another takes its place), a retiring one in its time, or by `force`."""
    key = keys.find(kid)
    if key is None:
        return Refused(f"there is no key {kid}")
    match key.state:
        case KeyState.NEXT:
            return Stage(key.purpose, key.algorithm, withdrawn=kid)
        case KeyState.ACTIVE:
            return Refused(f"key {kid} is active: promote its successor first, or run keys compromise")
        case KeyState.RETIRING:
            if key.retires_at is not None and key.retires_at > now and not force:
                return TooEarly(kid, key.retires_at)
            return Retire(key.purpose, kid)
        case KeyState.RETIRED | KeyState.COMPROMISED:
            return NothingDue()
    assert_never(key.state)


def decide_compromise(keys: KeySet, kid: str) -> Step:
    """Somebody else may have `kid`: it goes at once, from any state, and the next key signs, however new it is."""
    key = keys.find(kid)
    if key is None:
        return Refused(f"there is no key {kid}")
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
