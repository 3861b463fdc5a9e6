"""Identifiers."""

from authserver.protocol.entropy import new_id
from tests.support.world.entropy import SeededEntropy


def test_no_id_looks_like_an_option() -> None:
    """Ids are typed: `sessions revoke SID`. One in 64 would begin with a dash."""
    entropy = SeededEntropy()
    ids = [new_id(entropy) for _ in range(1000)]
    assert {len(made) for made in ids} == {22}
    assert {made[0] for made in ids} & set("-_") == {"_"}
