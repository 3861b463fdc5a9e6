"""Sealed private parts open only under their master key, and only as what they were sealed as."""

import pytest

from authserver.keyring.errors import BrokenKeyError, MasterKeyError, WrongMasterKeyError
from authserver.keyring.keys import Purpose
from authserver.keyring.sealing import MasterKey, MasterKeys, sealed_by
from tests.support.world.entropy import SeededEntropy

SECRET = b"the private part"


def make_master(entropy: SeededEntropy) -> MasterKey:
    return MasterKey.read(MasterKey.generate_text(entropy))


def seal(masters: MasterKeys) -> str:
    return masters.seal("k1", "ES256", Purpose.SIGNING, SECRET)


def test_a_sealed_secret_opens_as_what_it_was_sealed_as(masters: MasterKeys) -> None:
    assert masters.unseal("k1", "ES256", Purpose.SIGNING, seal(masters)) == SECRET


@pytest.mark.parametrize(
    ("kid", "algorithm", "purpose"),
    [("k2", "ES256", Purpose.SIGNING), ("k1", "EdDSA", Purpose.SIGNING), ("k1", "ES256", Purpose.MAC)],
)
def test_a_sealed_secret_does_not_open_as_another_key(
    masters: MasterKeys, kid: str, algorithm: str, purpose: Purpose
) -> None:
    """A writer of the database cannot pass one key off as another."""
    with pytest.raises(BrokenKeyError):
        masters.unseal(kid, algorithm, purpose, seal(masters))


def test_every_altered_character_of_the_sealed_text_is_noticed(masters: MasterKeys) -> None:
    sealed = seal(masters)
    for position, character in enumerate(sealed):
        altered = f"{sealed[:position]}{'A' if character != 'A' else 'B'}{sealed[position + 1 :]}"
        with pytest.raises((BrokenKeyError, WrongMasterKeyError)):
            masters.unseal("k1", "ES256", Purpose.SIGNING, altered)


@pytest.mark.parametrize("text", ["", ".", "abc", "0123456789abcdef", "0123456789abcdef0.x"])
def test_what_is_no_sealed_text_is_a_named_error(masters: MasterKeys, text: str) -> None:
    with pytest.raises((BrokenKeyError, WrongMasterKeyError)):
        masters.unseal("k1", "ES256", Purpose.SIGNING, text)


def test_another_master_key_is_called_the_wrong_one_for_this_database(masters: MasterKeys) -> None:
    """F19."""
    other = MasterKeys((make_master(SeededEntropy(2)),))
    with pytest.raises(WrongMasterKeyError, match=masters.fingerprints[0]) as refusal:
        other.unseal("k1", "ES256", Purpose.SIGNING, seal(masters))
    assert other.fingerprints[0] in str(refusal.value)


def test_every_loaded_master_key_opens_and_the_first_seals(masters: MasterKeys) -> None:
    newer = make_master(SeededEntropy(2))
    both = MasterKeys((newer, *masters.keys))
    assert both.unseal("k1", "ES256", Purpose.SIGNING, seal(masters)) == SECRET
    assert sealed_by(seal(both)) == newer.fingerprint


def test_a_database_goes_on_under_the_master_key_it_uses(masters: MasterKeys) -> None:
    """Or else a new file on one node would make keys that the other nodes cannot open."""
    both = MasterKeys((make_master(SeededEntropy(2)), *masters.keys))
    in_use = both.sealing_like([seal(masters)])
    assert sealed_by(seal(in_use)) == masters.fingerprints[0]
    assert set(in_use.keys) == set(both.keys)
    assert both.sealing_like([]) == both


def test_no_master_key_at_all_is_refused() -> None:
    with pytest.raises(MasterKeyError):
        MasterKeys(())


def test_nothing_secret_is_in_a_repr(masters: MasterKeys) -> None:
    text = MasterKey.generate_text(SeededEntropy(3)).decode().strip()
    assert text not in repr(MasterKeys((MasterKey.read(text.encode()),)))
