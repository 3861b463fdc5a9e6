"""What the use cases on keys share: the values they need, and the one way in which keys change.

These work without a `Realm`: `authserver init` and `authserver keys` must work while there is no key that could sign.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime

from authserver.clock import Clock
from authserver.credentials.events import SigningKeyCompromised
from authserver.jose.algorithms import PrivateKey, find_algorithm
from authserver.keyring.errors import BrokenKeyError
from authserver.keyring.key_set import KeySet
from authserver.keyring.keys import Purpose, StoredKey
from authserver.keyring.life_cycle import KeyTimes
from authserver.keyring.making import make_mac_key, make_signing_key
from authserver.keyring.sealing import MasterKeys
from authserver.keyring.steps import (
    Activate,
    Change,
    Compromise,
    Promote,
    Redate,
    Retire,
    Stage,
    Step,
    find_fresh_algorithm,
    take,
)
from authserver.protocol.audit_name import AuditName
from authserver.protocol.entropy import Entropy
from authserver.records.audit import Actor, Detail
from authserver.revocation import Revocation
from authserver.storage import Database, Transaction, audit, keys
from authserver.trusted_time import Trusted

_AUDIT_NAMES: dict[type[Change], AuditName] = {
    Activate: AuditName.KEY_FOUNDED,
    Stage: AuditName.KEY_STAGED,
    Promote: AuditName.KEY_PROMOTED,
    Retire: AuditName.KEY_RETIRED,
    Redate: AuditName.KEY_REDATED,
    Compromise: AuditName.MAC_KEY_COMPROMISED,
}


@dataclass(frozen=True, slots=True)
class KeyCustody:
    """What one installation's keys are kept with. `read_master_keys` reads their folder anew at each call."""

    database: Database
    read_master_keys: Callable[[], MasterKeys]
    times: KeyTimes
    revocation: Revocation
    clock: Clock
    entropy: Entropy

    def load_keys(self) -> KeySet:
        """The keys as they are in the database, oldest first."""
        with self.database.read() as tx:
            return keys.load_all(tx)

    def record(self, tx: Transaction, name: AuditName, detail: Detail, *, by: Actor, now: datetime) -> None:
        """Write the audit record of a change of the keys, in its transaction."""
        audit.write(tx, name, by=by, now=now, entropy=self.entropy, detail=detail)


def take_step(
    custody: KeyCustody,
    decide: Callable[[KeySet, datetime], Step],
    *,
    by: Actor,
    at: Trusted | None = None,
    private_key: PrivateKey | None = None,
) -> Step:
    """Take the step that `decide` decides on, if it changes anything, in one transaction, and return it.

    Safe on any number of nodes at once: what is decided on what was read is done only if that is still what is there
    once nobody else can change it. A new signing key is made before, because making one may take a second in which
    every other writer of the database would wait; `private_key` takes its place. Steps that come with time take `at`;
    those that somebody wants at once, such as a compromise, go by the clock as it is.
    """
    while True:
        now = custody.clock.now() if at is None else at.now
        known = custody.load_keys()
        step = decide(known, now)
        if not isinstance(step, Change):
            return step
        fresh = _make_fresh(custody, step, known, now, private_key)
        with custody.database.write() as tx:
            keys.lock(tx)
            if keys.load_all(tx) != known:
                continue  # somebody else was quicker: decide again
            for row in take(step, known, fresh, now, custody.times.retiring(step.purpose)):
                _save(tx, row, known.find(row.kid))
            _record(tx, custody, step, fresh, by=by, now=now)
        return step


def _make_fresh(
    custody: KeyCustody, step: Change, known: KeySet, now: datetime, private_key: PrivateKey | None
) -> StoredKey | None:
    name = find_fresh_algorithm(step)
    if name is None:
        return None
    masters = custody.read_master_keys().sealing_like(known.sealed)
    if step.purpose is Purpose.MAC:
        return make_mac_key(masters, now, entropy=custody.entropy, taken={key.kid for key in known.rows})
    algorithm = find_algorithm(name)
    if algorithm is None:
        raise BrokenKeyError(f"there is no algorithm {name}")
    return make_signing_key(algorithm, masters, now, private_key)


def _save(tx: Transaction, key: StoredKey, was: StoredKey | None) -> None:
    if was is None:
        keys.add(tx, key)
    else:
        keys.replace(tx, key, was=was)


def _record(
    tx: Transaction, custody: KeyCustody, step: Change, fresh: StoredKey | None, *, by: Actor, now: datetime
) -> None:
    if isinstance(step, Compromise) and step.purpose is Purpose.SIGNING:
        custody.revocation.apply(tx, SigningKeyCompromised(step.kid), by=by, now=now)
        return
    detail = {**asdict(step), "new": None if fresh is None else fresh.kid}
    custody.record(tx, _AUDIT_NAMES[type(step)], detail, by=by, now=now)
