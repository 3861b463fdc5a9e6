"""The rules for texts from outside, in one place: how long they may be, and which characters they may contain.

A text is measured before anything else happens to it. Normalising takes quadratic time for a long run of combining
marks, so no other file normalises (`tests/architecture/test_texts.py`).
"""

import re
import unicodedata
from typing import Final

LONGEST_TEXT: Final = 16 * 1024
"""Code points of any text from outside. Each use of a text has a lower bound of its own."""

_LONGEST_NORMALISED: Final = 4096  # a password of 1,024 characters, decomposed; quadratic time is milliseconds here

STORABLE_PATTERN: Final = "^[^\\u0000]*$"
"""What a JSON Schema can say of `is_storable`: a lone surrogate is no character of a schema's texts."""

_NOT_STORABLE = re.compile("[\0\ud800-\udfff]")

# Controls, line and paragraph separators, characters that turn the direction of later text (UAX #9: embeddings,
# overrides, isolates), interlinear annotation, surrogates. Joiners, no-break spaces and variation selectors are parts
# of words, and of emoji, in many languages.
_NOT_IN_A_LINE = re.compile("[\0-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufff9-\ufffb\ud800-\udfff]")
_JOINERS = " \u200c\u200d"


def is_storable(text: str) -> bool:
    """Whether `text` is within `LONGEST_TEXT`, and every database can store it unchanged.

    Refused: NUL (PostgreSQL rejects it) and lone surrogates (they have no UTF-8 form).
    """
    return len(text) <= LONGEST_TEXT and _NOT_STORABLE.search(text) is None


def is_line(text: str, longest: int) -> bool:
    """Whether `text` is one line of at most `longest` code points that displays in the order written, in any script."""
    return len(text) <= longest and _NOT_IN_A_LINE.search(text) is None


def clean_line(text: str, longest: int) -> str:
    """Turn `text` into a line of at most `longest` code points, changing little; empty if nothing can stay."""
    # Cut before cleaning, and again after it, because cleaning removes characters.
    spaced = _NOT_IN_A_LINE.sub(" ", text[: 4 * longest])
    return re.sub(" {2,}", " ", spaced).strip(" ")[:longest].rstrip(_JOINERS)


def normalise(text: str) -> str:
    """`text` in NFC.

    Raises:
        ValueError: the caller passed a text longer than any that may be normalised.
    """
    if len(text) > _LONGEST_NORMALISED:
        raise ValueError("a text that nobody has measured")
    return unicodedata.normalize("NFC", text)
