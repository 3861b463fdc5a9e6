"""Making keys."""

from authserver.jose.algorithms import find_algorithm
from authserver.keyring.making import make_signing_key
from authserver.keyring.sealing import MasterKeys
from tests.support.world.clock import START


def test_no_key_id_looks_like_an_option(masters: MasterKeys) -> None:
    """`keys compromise KID` is typed in an emergency; one thumbprint in 64 begins with a dash."""
    algorithm = find_algorithm("EdDSA")
    assert algorithm is not None
    made = {make_signing_key(algorithm, masters, START).kid[0] for _ in range(1000)}
    assert "-" not in made
    assert "_" in made
