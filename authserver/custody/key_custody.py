"""The values that all use cases on keys need, and the one function that changes keys.

They work without a `Realm`, because `authserver init` and `authserver keys` must work while no key can sign.
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
from authserver.keyring.life_cycle import KeyTimes, list_purposes
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
from authserver.storage import Database, Transaction, audit, clients, keys
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
    """The values for keeping one installation's keys. `read_master_keys` reads their folder at each call."""

    database: Database
    read_master_keys: Callable[[], MasterKeys]
    times: KeyTimes
    revocation: Revocation
    clock: Clock
    entropy: Entropy

    def load_keys(self) -> KeySet:
        """Load the keys from the database, oldest first."""
        with self.database.read() as tx:
            return keys.load_all(tx)

    def list_purposes(self, *, asked: str | None = None) -> list[Purpose]:
        """List the purposes for which keys are kept; also for the algorithm `asked` for by a client to come."""
        with self.database.read() as tx:
            wanted = clients.list_id_token_algorithms(tx)
            return list_purposes(keys.load_all(tx), wanted if asked is None else {*wanted, asked})

    def record(self, tx: Transaction, name: AuditName, detail: Detail, *, by: Actor, now: datetime) -> None:
        """Write the audit record of a key change, in its transaction."""
        audit.write(tx, name, by=by, now=now, entropy=self.entropy, detail=detail)


def take_step(
    custody: KeyCustody,
    decide: Callable[[KeySet, datetime], Step],
    *,
    by: Actor,
    at: Trusted | None = None,
    private_key: PrivateKey | None = None,
) -> Step:
    """Take the step that `decide` returns, if it changes anything, in one transaction, and return it.

    Safe on any number of nodes at once: the step is taken only if the keys, once locked, are still those on which it
    was decided. A new signing key (or `private_key`) is prepared before the lock, because making one may take a second,
    in which every other writer of the database would wait. Scheduled steps use `at`; immediate steps, such as a
    compromise, use the present clock.
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
                continue  # another process was faster: decide again
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
    return make_signing_key(algorithm, masters, now, private_key, step.purpose)


def _save(tx: Transaction, key: StoredKey, was: StoredKey | None) -> None:
    if was is None:
        keys.add(tx, key)
    else:
        keys.replace(tx, key, was=was)


def _record(
    tx: Transaction, custody: KeyCustody, step: Change, fresh: StoredKey | None, *, by: Actor, now: datetime
) -> None:
    if isinstance(step, Compromise) and step.purpose.is_public:
        custody.revocation.apply(tx, SigningKeyCompromised(step.kid), by=by, now=now)
        return
    detail = {**asdict(step), "new": None if fresh is None else fresh.kid}
    custody.record(tx, _AUDIT_NAMES[type(step)], detail, by=by, now=now)
