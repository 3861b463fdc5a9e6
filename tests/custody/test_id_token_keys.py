"""Keys of clients that ask for ID tokens of another algorithm: made when asked for, then as all others (design §7)."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from authserver.custody.change_keys import compromise_key, promote_key, stage_signing_key
from authserver.custody.key_custody import KeyCustody
from authserver.custody.rotate_keys import ensure_id_token_keys, repair_keys, rotate_keys
from authserver.keyring.keyring import Keyring, build_keyring
from authserver.keyring.keys import KeyState, Purpose
from authserver.keyring.life_cycle import KeyTimes
from authserver.keyring.live import KeyringLoader, LiveKeyring
from authserver.keyring.master_files import create_master_key, load_master_keys
from authserver.keyring.steps import Compromise, Promote, TooEarly
from authserver.protocol.client_metadata import ClientKind
from authserver.records.audit import Actor
from authserver.records.client import Client
from authserver.revocation import Revocation
from authserver.revocation.policy import RevocationPolicy
from authserver.storage import Database, clients
from authserver.trusted_time import Trusted
from tests.support.world.clock import START, ManualClock
from tests.support.world.entropy import SeededEntropy

CLI = Actor("cli")
MAX_AGE = timedelta(minutes=5)
TIMES = KeyTimes(MAX_AGE, timedelta(minutes=15), timedelta(0), timedelta(days=7))
EDDSA = Purpose.ID_TOKEN_EDDSA


@pytest.fixture
def custody(database: Database, tmp_path: Path, clock: ManualClock) -> KeyCustody:
    """An installation right after `authserver init`."""
    entropy, folder = SeededEntropy(), tmp_path / "keys"
    create_master_key(folder, now=clock.now(), entropy=entropy)
    revocation = Revocation(RevocationPolicy(), timedelta(minutes=5), entropy)
    custody = KeyCustody(database, lambda: load_master_keys(folder), TIMES, revocation, clock, entropy)
    repair_keys(custody, by=CLI)
    return custody


def build(custody: KeyCustody) -> Keyring:
    return build_keyring(custody.load_keys(), custody.read_master_keys())


def states(custody: KeyCustody, purpose: Purpose) -> list[KeyState]:
    return sorted(key.state for key in custody.load_keys().rows if key.purpose is purpose)


def ask_for(custody: KeyCustody, algorithm: str, **more: Any) -> None:  # noqa: ANN401 - attributes of a client
    """Store a client that asks for ID tokens of `algorithm`."""
    client = Client(
        "App",
        client_id=f"app-{algorithm}",
        kind=ClientKind.PUBLIC,
        secret_digest=None,
        family_version=1,
        created_at=START,
        disabled_at=None,
        id_token_signed_response_alg=algorithm,
        **more,
    )
    with custody.database.write() as tx:
        assert clients.add(tx, client)


def test_an_algorithm_that_is_asked_for_gets_an_active_and_a_next_key_once(custody: KeyCustody) -> None:
    assert build(custody).client_algorithms == ("ES256",)
    assert len(ensure_id_token_keys(custody, "EdDSA", by=CLI)) == 2
    assert states(custody, EDDSA) == [KeyState.ACTIVE, KeyState.NEXT]
    assert ensure_id_token_keys(custody, "EdDSA", by=CLI) == ()
    assert ensure_id_token_keys(custody, "ES256", by=CLI) == (), "access tokens have it"
    keyring = build(custody)
    assert keyring.client_algorithms == ("ES256", "EdDSA")
    signing = keyring.find_client_key("EdDSA")
    assert signing is not None
    assert signing.algorithm.name == "EdDSA"
    assert keyring.find_verification_key(signing.kid) is not None
    assert keyring.find_client_key(None) == keyring.find_client_key("ES256") == keyring.signing_key
    assert keyring.find_client_key("RS256") is None


def test_its_keys_rotate_by_themselves(custody: KeyCustody, clock: ManualClock) -> None:
    """Each algorithm has its schedule; the keys that it replaces stay published until their last token has expired."""
    ensure_id_token_keys(custody, "EdDSA", by=CLI)
    assert isinstance(promote_key(custody, EDDSA, Trusted(clock.now()), by=CLI), TooEarly)
    before = build(custody).find_client_key("EdDSA")
    clock.advance(MAX_AGE)
    steps = rotate_keys(custody, Trusted(clock.now()), by=CLI)
    promoted = [step.purpose for step in steps if isinstance(step, Promote)]
    assert promoted == [Purpose.SIGNING, Purpose.MAC, EDDSA]
    after = build(custody)
    assert states(custody, EDDSA) == [KeyState.ACTIVE, KeyState.NEXT, KeyState.RETIRING]
    assert before is not None
    signing = after.find_client_key("EdDSA")
    assert signing is not None
    assert signing.kid != before.kid
    assert after.find_verification_key(before.kid) is not None


def test_a_compromised_one_is_out_and_its_successor_signs(custody: KeyCustody) -> None:
    """F22: no other algorithm is touched."""
    ensure_id_token_keys(custody, "EdDSA", by=CLI)
    before = build(custody)
    stolen = before.find_client_key("EdDSA")
    assert stolen is not None
    assert isinstance(compromise_key(custody, stolen.kid, by=CLI), Compromise)
    after = build(custody)
    assert after.find_verification_key(stolen.kid) is None
    successor = after.find_client_key("EdDSA")
    assert successor is not None
    assert successor.kid != stolen.kid
    assert after.signing_key.kid == before.signing_key.kid


def test_a_client_keeps_its_algorithm_when_access_tokens_leave_it(custody: KeyCustody, clock: ManualClock) -> None:
    """Before the other algorithm is promoted, the one that is asked for by name has keys of its own."""
    ask_for(custody, "ES256")
    assert states(custody, Purpose.ID_TOKEN_ES256) == []
    stage_signing_key(custody, "EdDSA", by=CLI)
    assert states(custody, Purpose.ID_TOKEN_ES256) == [KeyState.ACTIVE, KeyState.NEXT]
    clock.advance(MAX_AGE)
    promote_key(custody, Purpose.SIGNING, Trusted(clock.now()), by=CLI)
    keyring = build(custody)
    assert keyring.client_algorithms == ("EdDSA", "ES256")
    found = keyring.find_client_key("ES256")
    assert found is not None
    assert found.algorithm.name == "ES256"


def test_keys_that_a_client_asks_for_are_repaired(custody: KeyCustody) -> None:
    """As `authserver init` and every rotation do: a client without a key gets no ID token."""
    ask_for(custody, "EdDSA")
    assert states(custody, EDDSA) == []
    repair_keys(custody, by=CLI)
    assert states(custody, EDDSA) == [KeyState.ACTIVE, KeyState.NEXT]


def test_a_running_server_finds_a_new_key_at_once(custody: KeyCustody, clock: ManualClock) -> None:
    """The client may be read before the key: then the keys are read again, and not at every request."""
    live = LiveKeyring(KeyringLoader(custody.load_keys, custody.read_master_keys, clock), clock)
    ensure_id_token_keys(custody, "EdDSA", by=CLI)
    assert live.load_client_key("EdDSA").algorithm.name == "EdDSA"
    with pytest.raises(Exception, match="no RS256 key is active"):
        live.load_client_key("RS256")


def test_the_jwks_names_them(custody: KeyCustody) -> None:
    ensure_id_token_keys(custody, "EdDSA", by=CLI)
    assert build(custody).jwks.decode().count('"alg":"EdDSA"') == 2
