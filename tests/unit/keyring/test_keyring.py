"""A keyring is whole: everything in it opened, checked and published, or there is none."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from authserver.jose.jwk import read_jwks
from authserver.keyring.errors import BrokenKeyError, KeyringError, NoActiveKeyError, WrongMasterKeyError
from authserver.keyring.key_set import KeySet
from authserver.keyring.keyring import build_keyring
from authserver.keyring.keys import ALWAYS_KEPT, KeyState, Purpose, StoredKey
from authserver.keyring.making import make_mac_key
from authserver.keyring.sealing import MasterKey, MasterKeys
from tests.support.world.clock import START
from tests.support.world.entropy import SeededEntropy

MakeKey = Callable[..., StoredKey]
DAY = timedelta(days=1)


def test_next_active_and_retiring_keys_verify_and_are_published(
    key_set: KeySet, make_key: MakeKey, masters: MasterKeys
) -> None:
    """OIDC Core §10.1.1: a new key is there before its use, an old one until its tokens have ended."""
    retiring = make_key("EdDSA").activate(START).begin_retiring(START, DAY)
    ended = [make_key().activate(START).begin_retiring(START, DAY).retire(START), make_key().compromise(START)]
    keyring = build_keyring(KeySet((*key_set.rows, retiring, *ended)), masters)

    live = [key.kid for key in key_set.select(Purpose.SIGNING, KeyState.NEXT, KeyState.ACTIVE)] + [retiring.kid]
    assert sorted(read_jwks(keyring.jwks)) == sorted(live)
    assert all(keyring.find_verification_key(kid) is not None for kid in live)
    assert all(keyring.find_verification_key(key.kid) is None for key in ended)


def test_the_active_keys_sign(key_set: KeySet, masters: MasterKeys) -> None:
    keyring = build_keyring(key_set, masters)
    signing, mac = (key_set.find_active(purpose) for purpose in ALWAYS_KEPT)
    assert signing is not None
    assert mac is not None
    assert keyring.signing_key.kid == signing.kid
    assert keyring.mac_key.kid == mac.kid
    assert keyring.find_mac_key(mac.kid) == keyring.mac_key


def test_the_jwks_holds_no_private_part_and_no_mac_key(key_set: KeySet, masters: MasterKeys) -> None:
    jwks = json.loads(build_keyring(key_set, masters).jwks)
    assert [set(jwk) for jwk in jwks["keys"]] == [{"kty", "crv", "x", "y", "kid", "use", "alg"}] * 2


def test_the_same_keys_give_the_same_bytes_and_tag(key_set: KeySet, masters: MasterKeys, make_key: MakeKey) -> None:
    one, two = (build_keyring(key_set, masters) for _ in range(2))
    assert (one.jwks, one.jwks_etag) == (two.jwks, two.jwks_etag)
    retiring = make_key().activate(START).begin_retiring(START, DAY)
    assert build_keyring(KeySet((*key_set.rows, retiring)), masters).jwks_etag != one.jwks_etag


def test_a_retired_key_verifies_for_a_while_for_signing_out_alone(
    key_set: KeySet, make_key: MakeKey, masters: MasterKeys
) -> None:
    """Contract §3: an access token may sign out for a day after it expired; its key goes earlier."""
    retired, older = (
        make_key().activate(START).begin_retiring(START, DAY).retire(at) for at in (START, START - timedelta(seconds=1))
    )
    stolen = make_key().activate(START).begin_retiring(START, DAY).retire(START).compromise(START)
    keyring = build_keyring(KeySet((*key_set.rows, retired, older, stolen)), masters)
    since = START - timedelta(seconds=1)
    found = keyring.find_sign_out_key(retired.kid, retired_after=since)
    assert found is not None
    assert found.kid == retired.kid
    assert keyring.find_sign_out_key(keyring.signing_key.kid, retired_after=since) is not None
    assert keyring.find_sign_out_key(older.kid, retired_after=since) is None
    assert keyring.find_sign_out_key(stolen.kid, retired_after=since) is None
    assert keyring.find_verification_key(retired.kid) is None
    assert retired.kid not in read_jwks(keyring.jwks)


def test_a_retired_key_that_cannot_be_read_keeps_nothing_from_work(
    key_set: KeySet, make_key: MakeKey, masters: MasterKeys
) -> None:
    retired = replace(make_key().activate(START).begin_retiring(START, DAY).retire(START), public_jwk="{}")
    keyring = build_keyring(KeySet((*key_set.rows, retired)), masters)
    assert keyring.find_sign_out_key(retired.kid, retired_after=START - DAY) is None


def test_an_ended_mac_key_is_known_as_such(key_set: KeySet, make_key: MakeKey, masters: MasterKeys) -> None:
    """Its tokens are dead for sure; those of an id nobody knows may be good."""
    retired = make_key("MAC").activate(START).begin_retiring(START, DAY).retire(START + DAY)
    compromised = make_key("MAC").compromise(START)
    keyring = build_keyring(KeySet((*key_set.rows, retired, compromised)), masters)
    assert keyring.find_mac_key(retired.kid) is None
    assert keyring.find_ended_mac_key(retired.kid) is KeyState.RETIRED
    assert keyring.find_ended_mac_key(compromised.kid) is KeyState.COMPROMISED
    assert keyring.find_ended_mac_key("00000000") is None


@pytest.mark.parametrize("purpose", ALWAYS_KEPT)
def test_without_an_active_key_there_is_no_keyring(key_set: KeySet, masters: MasterKeys, purpose: Purpose) -> None:
    """F19: never an empty JWKS."""
    rest = KeySet(tuple(key for key in key_set.rows if key != key_set.find_active(purpose)))
    with pytest.raises(NoActiveKeyError, match=purpose):
        build_keyring(rest, masters)


def test_under_another_master_key_there_is_no_keyring(key_set: KeySet) -> None:
    """F19."""
    other = MasterKeys((MasterKey.read(MasterKey.generate_text(SeededEntropy(9))),))
    with pytest.raises(WrongMasterKeyError, match="wrong master key for this database"):
        build_keyring(key_set, other)


def swap_sealed(one: StoredKey, two: StoredKey) -> StoredKey:
    return replace(one, sealed=two.sealed)


def swap_public(one: StoredKey, two: StoredKey) -> StoredKey:
    return replace(one, public_jwk=two.public_jwk)


def rename(one: StoredKey, _two: StoredKey) -> StoredKey:
    return replace(one, kid="another")


def relabel(one: StoredKey, _two: StoredKey) -> StoredKey:
    return replace(one, algorithm="EdDSA")


def spoil_public(one: StoredKey, _two: StoredKey) -> StoredKey:
    return replace(one, public_jwk="{")


def publish_private(one: StoredKey, _two: StoredKey) -> StoredKey:
    return replace(one, public_jwk=json.dumps({**json.loads(one.public_jwk or ""), "d": "AA"}))


@pytest.mark.parametrize("tamper", [swap_sealed, swap_public, rename, relabel, spoil_public, publish_private])
@pytest.mark.parametrize("state", [KeyState.ACTIVE, KeyState.NEXT])
def test_a_row_that_somebody_tampered_with_makes_no_keyring(
    key_set: KeySet, masters: MasterKeys, tamper: Callable[[StoredKey, StoredKey], StoredKey], state: KeyState
) -> None:
    """A writer of the database can break the server, but not make it sign with, or publish, a key of his choice."""
    one = next(key_set.select(Purpose.SIGNING, state))
    two = next(key for key in key_set.select(Purpose.SIGNING, KeyState.ACTIVE, KeyState.NEXT) if key != one)
    rows = tuple(tamper(key, two) if key == one else key for key in key_set.rows)
    with pytest.raises(BrokenKeyError):
        build_keyring(KeySet(rows), masters)


def test_the_two_halves_of_a_key_must_be_a_pair(key_set: KeySet, masters: MasterKeys, make_key: MakeKey) -> None:
    """A whole public part under the right name, with a private part that is sealed well but another's."""
    active = key_set.find_active(Purpose.SIGNING)
    assert active is not None
    other = make_key()
    secret = masters.unseal(other.kid, other.algorithm, other.purpose, other.sealed or "")
    forged = replace(active, sealed=masters.seal(active.kid, active.algorithm, active.purpose, secret))
    with pytest.raises(BrokenKeyError, match="not a pair"):
        build_keyring(KeySet(tuple(forged if key == active else key for key in key_set.rows)), masters)


def test_two_active_keys_are_refused(key_set: KeySet, make_key: MakeKey) -> None:
    with pytest.raises(BrokenKeyError, match="more than one signing key is active"):
        KeySet((*key_set.rows, make_key().activate(START)))


@pytest.mark.parametrize(
    "impossible",
    [
        {"state": KeyState.ACTIVE},
        {"state": KeyState.RETIRING, "retiring_at": START},
        {"state": KeyState.RETIRED, "retired_at": START},
        {"sealed": None},
        {"public_jwk": None},
        {"purpose": Purpose.MAC},
    ],
)
def test_an_impossible_row_is_a_named_error(make_key: MakeKey, impossible: dict[str, object]) -> None:
    key = make_key()
    with pytest.raises(KeyringError, match=key.kid):
        replace(key, **impossible)  # type: ignore[arg-type]


def test_a_mac_key_id_never_comes_twice(masters: MasterKeys) -> None:
    taken = make_mac_key(masters, START, entropy=SeededEntropy(1), taken=())
    again = make_mac_key(masters, START, entropy=SeededEntropy(1), taken={taken.kid})
    assert again.kid != taken.kid
    assert len(bytes.fromhex(again.kid)) == 4


def test_nothing_secret_is_in_a_repr(key_set: KeySet, masters: MasterKeys) -> None:
    keyring = build_keyring(key_set, masters)
    text = repr((key_set, keyring))
    assert keyring.mac_key.secret.hex() not in text
    assert repr(keyring.mac_key.secret) not in text
    assert all(sealed not in text for sealed in key_set.sealed)
