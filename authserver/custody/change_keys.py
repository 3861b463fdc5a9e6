"""Use cases: the key changes that an operator may request. Each is one idempotent transaction.

A request that does not fit returns `Impossible` or `TooEarly`; one that is already fulfilled returns `NothingDue`.
"""

from datetime import datetime

from authserver.custody.key_custody import KeyCustody, take_step
from authserver.custody.rotate_keys import repair_keys
from authserver.keyring.key_set import KeySet
from authserver.keyring.keys import MAC_ALGORITHM, Purpose
from authserver.keyring.life_cycle import (
    DEFAULT_SIGNING_ALGORITHM,
    decide_compromise,
    decide_import,
    decide_promotion,
    decide_retirement,
    decide_staging,
)
from authserver.keyring.making import find_key_id
from authserver.keyring.pem import ReadKey
from authserver.keyring.steps import Step
from authserver.records.audit import Actor
from authserver.trusted_time import Trusted


def stage_signing_key(custody: KeyCustody, algorithm: str | None, *, by: Actor) -> Step:
    """Publish a next signing key for `algorithm` (None: the one in use), replacing a next key for another."""

    def decide(keys: KeySet, _now: datetime) -> Step:
        newest = keys.find_next(Purpose.SIGNING) or keys.find_active(Purpose.SIGNING)
        wanted = algorithm or (newest.algorithm if newest else DEFAULT_SIGNING_ALGORITHM)
        return decide_staging(keys, Purpose.SIGNING, wanted)

    step = take_step(custody, decide, by=by)
    # Clients that ask by name for the algorithm that is being left need keys of their own before the promotion.
    repair_keys(custody, by=by)
    return step


def stage_mac_key(custody: KeyCustody, *, by: Actor) -> Step:
    """Create a next MAC key, if there is none."""
    return take_step(custody, lambda keys, _now: decide_staging(keys, Purpose.MAC, MAC_ALGORITHM), by=by)


def promote_key(custody: KeyCustody, purpose: Purpose, at: Trusted | None, *, by: Actor) -> Step:
    """Make the next key active, regardless of the rotation interval.

    `at` None forces this before every cached JWKS contains the key. A resource server that does not fetch unknown keys
    then refuses valid tokens for up to the JWKS max-age.
    """

    def decide(keys: KeySet, now: datetime) -> Step:
        return decide_promotion(keys, purpose, now, custody.times, force=at is None)

    return take_step(custody, decide, by=by, at=at)


def retire_key(custody: KeyCustody, kid: str, at: Trusted | None, *, by: Actor) -> Step:
    """Retire `kid`. `at` None forces this before the last token that it signed has expired."""
    return take_step(custody, lambda keys, now: decide_retirement(keys, kid, now, force=at is None), by=by, at=at)


def import_key(custody: KeyCustody, key: ReadKey, *, by: Actor) -> Step:
    """Publish a signing key made elsewhere as the next one."""
    kid = find_key_id(key.algorithm, key.private_key)
    step = take_step(
        custody,
        lambda keys, _now: decide_import(keys, kid, key.algorithm.name),
        by=by,
        private_key=key.private_key,
    )
    repair_keys(custody, by=by)  # as after `stage_signing_key`
    return step


def compromise_key(custody: KeyCustody, kid: str, *, by: Actor) -> Step:
    """Remove `kid` from use at once, because somebody else may have it; the next key signs at once."""
    return take_step(custody, lambda keys, _now: decide_compromise(keys, kid), by=by)
