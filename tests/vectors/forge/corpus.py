"""All attack tokens, and the text of the files that hold them."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from authserver.jose.jwk import write_jwk
from tests.support.world.tokens import AUDIENCE, ISSUER, LEEWAY, LONGEST_LIFETIME, NOW
from tests.vectors.forge import attacks_on_claims, attacks_on_keys, attacks_on_signatures, attacks_on_text
from tests.vectors.forge.reasons import find_reason
from tests.vectors.forge.workshop import Attack, Repeated, Workshop

FOLDER: Final = Path(__file__).parents[1]
ODD: Final = "odd"
"""The file of the tokens that not every language can hold in a string."""
KINDS: Final[Mapping[str, tuple[Callable[[], Iterator[Attack]], ...]]] = {
    "keys": attacks_on_keys.KINDS,
    "text": attacks_on_text.KINDS,
    "signatures": attacks_on_signatures.KINDS,
    "claims": attacks_on_claims.KINDS,
}
"""File name → what makes its tokens."""
_ABOUT: Final = {
    "keys": "Tokens that try to choose their own algorithm or key.",
    "text": "Tokens in another shape, spelling, type, encoding or JSON than the one that is accepted.",
    "signatures": "Signatures that fit nothing, or that must not.",
    "claims": "Well signed tokens whose claims must not pass.",
    ODD: "What is no text, or not one that every language can hold.",
}


def write_files() -> Iterator[tuple[Path, str]]:
    """Each file, with what has to be in it."""
    workshop, odd = Workshop(), []
    for kind, makers in KINDS.items():
        attacks = [attack for maker in makers for attack in maker()]
        vectors = [(_describe(attack, token), token) for attack in attacks for token in [attack.forge(workshop)]]
        odd += [vector for vector, token in vectors if not _is_text(token)]
        yield _write(kind, workshop, [vector for vector, token in vectors if _is_text(token)])
    yield _write(ODD, workshop, odd)


def _describe(attack: Attack, token: object) -> dict[str, object]:
    shown = {"repeat": token.text, "times": token.times} if isinstance(token, Repeated) else {"token": token}
    return {"name": attack.name, **shown, "expect": attack.code or "accept", "reason": find_reason(attack.name)}


def _is_text(token: object) -> bool:
    if isinstance(token, Repeated):
        return True
    return isinstance(token, str) and not any("\ud800" <= character <= "\udfff" for character in token)


def _write(kind: str, workshop: Workshop, vectors: list[dict[str, object]]) -> tuple[Path, str]:
    content = {
        "format": 1,
        "about": _ABOUT[kind],
        "issuer": ISSUER,
        "audience": AUDIENCE,
        "now": NOW,
        "leeway": LEEWAY,
        "longest_lifetime": LONGEST_LIFETIME,
        "jwks": {"keys": [write_jwk(pair.verification_key) for pair in workshop.issuer_pairs]},
        "vectors": vectors,
    }
    return FOLDER / f"{kind}.json", json.dumps(content, indent=1) + "\n"
