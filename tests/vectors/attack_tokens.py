"""Tokens that an attacker, or a careless issuer, could show: how each is made, and the code that must answer it.

`code` None marks the few that must pass, because refusing them would be the mistake.
"""

from tests.vectors import attacks_on_claims, attacks_on_keys, attacks_on_signatures, attacks_on_text
from tests.vectors.workshop import Attack

_KINDS = (*attacks_on_keys.KINDS, *attacks_on_text.KINDS, *attacks_on_signatures.KINDS, *attacks_on_claims.KINDS)


def all_attacks() -> tuple[Attack, ...]:
    attacks = tuple(attack for kind in _KINDS for attack in kind())
    names = [attack.name for attack in attacks]
    assert len(set(names)) == len(names), "two attacks with one name"
    return attacks
