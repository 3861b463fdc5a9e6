"""Use cases: what an operator may wish for the keys. Each is one transaction, and asking twice changes nothing more.

A wish that cannot be granted is answered with `Refused` or `TooEarly`, one that is granted already with `NothingDue`.
"""

from datetime import datetime

from authserver.accounts.key_custody import KeyCustody, carry_out
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
from authserver.storage.audit import Actor


def stage_signing_key(custody: KeyCustody, algorithm: str | None, *, by: Actor) -> Step:
    """Publish a next signing key for `algorithm`, in place of one for another; None: for the algorithm in use."""

    def decide(keys: KeySet, _now: datetime) -> Step:
        newest = keys.find_next(Purpose.SIGNING) or keys.find_active(Purpose.SIGNING)
        wanted = algorithm or (newest.algorithm if newest else DEFAULT_SIGNING_ALGORITHM)
        return decide_staging(keys, Purpose.SIGNING, wanted)

    return carry_out(custody, decide, by=by)


def stage_mac_key(custody: KeyCustody, *, by: Actor) -> Step:
    """Make a next MAC key, if there is none."""
    return carry_out(custody, lambda keys, _now: decide_staging(keys, Purpose.MAC, MAC_ALGORITHM), by=by)


def promote_key(custody: KeyCustody, purpose: Purpose, *, force: bool, by: Actor) -> Step:
    """Let the next key sign, without regard to the rotation interval.

    `force` does not wait until every cached JWKS has it: a resource server that does not fetch a key it does not know
    refuses good tokens for up to the JWKS max-age.
    """
    return carry_out(custody, lambda keys, now: decide_promotion(keys, purpose, now, custody.times, force=force), by=by)


def retire_key(custody: KeyCustody, kid: str, *, force: bool, by: Actor) -> Step:
    """Take `kid` out of use. `force` does not wait until the last thing that it signed has expired, and is refused."""
    return carry_out(custody, lambda keys, now: decide_retirement(keys, kid, now, force=force), by=by)


def import_key(custody: KeyCustody, key: ReadKey, *, by: Actor) -> Step:
    """Publish a signing key made elsewhere as the next one."""
    kid = find_key_id(key.algorithm, key.private_key)
    return carry_out(
        custody,
        lambda keys, _now: decide_import(keys, kid, key.algorithm.name),
        by=by,
        private_key=key.private_key,
    )


def compromise_key(custody: KeyCustody, kid: str, *, by: Actor) -> Step:
    """Take `kid` out of use at once because somebody else may have it; the next key signs at once."""
    return carry_out(custody, lambda keys, _now: decide_compromise(keys, kid), by=by)
