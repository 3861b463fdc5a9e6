"""Use cases on master keys: a server reports which it has loaded; all keys are resealed under the newest."""

from dataclasses import dataclass, replace

from authserver.custody.key_custody import KeyCustody
from authserver.keyring.keys import StoredKey
from authserver.keyring.sealing import MasterKeys, sealed_by
from authserver.keyring.steps import Impossible
from authserver.protocol.audit_name import AuditName
from authserver.realm import Realm
from authserver.records.audit import Actor, Detail
from authserver.records.node import NodeReport
from authserver.storage import keys, nodes
from authserver.trusted_time import Trusted


@dataclass(frozen=True, slots=True)
class Rewrapped:
    """The number of resealed keys. All keys are now sealed under the master key `fingerprint`."""

    fingerprint: str
    count: int


def report_node(realm: Realm, node_id: str) -> None:
    """Report that this server process is running, and which master keys it has loaded."""
    report = NodeReport(node_id, realm.keyring.current.master_keys)
    with realm.database.write() as tx:
        nodes.report(tx, report, realm.clock.now())


def rewrap_keys(custody: KeyCustody, at: Trusted, *, by: Actor) -> Rewrapped | Impossible:
    """Reseal every private part under the newest master key, in one transaction.

    Refused while a running server has not loaded the newest master key, because it could no longer open its keys.
    Afterwards the old master key is needed only for earlier backups. With a wrong clock, no server would seem to be
    running.
    """
    masters = custody.read_master_keys()
    newest = masters.fingerprints[0]
    with custody.database.write() as tx:
        keys.lock(tx)
        behind = [node.node_id for node in nodes.list_live(tx, at.now) if newest not in node.master_keys]
        if behind:
            return Impossible(f"these servers have not loaded master key {newest} yet: {', '.join(behind)}")
        outdated = [key for key in keys.load_all(tx).rows if key.sealed and sealed_by(key.sealed) != newest]
        for key in outdated:
            keys.replace(tx, _seal_anew(key, key.sealed or "", masters), was=key)
        if outdated:
            detail: Detail = {"master_key": newest, "count": len(outdated)}
            custody.record(tx, AuditName.KEYS_REWRAPPED, detail, by=by, now=at.now)
    return Rewrapped(newest, len(outdated))


def _seal_anew(key: StoredKey, sealed: str, masters: MasterKeys) -> StoredKey:
    secret = masters.unseal(key.kid, key.algorithm, key.purpose, sealed)
    return replace(key, sealed=masters.seal(key.kid, key.algorithm, key.purpose, secret))
