"""Which texts may come in at all: the one place where every reader of a text from outside asks.

A text is measured before anything else is done with it. Putting a text in a normal form takes quadratic time for a long
run of combining marks, so nobody else normalises (`tests/architecture/test_texts.py`).
"""

import re
import unicodedata
from typing import Final

LONGEST_TEXT: Final = 16 * 1024
"""Code points of one text from outside, whatever it is for. What a text is for has a bound of its own below this."""

_LONGEST_NORMALISED: Final = 4096  # a password of 1,024 characters, decomposed; quadratic time is milliseconds here

_NOT_STORABLE = re.compile("[\0\ud800-\udfff]")

# Controls, separators of lines and paragraphs, what turns the direction of the text after it (UAX #9: embeddings,
# overrides, isolates), interlinear annotation, surrogates. Joiners, no-break spaces and variation selectors are parts
# of words, and of emoji, in many languages.
_NOT_IN_A_LINE = re.compile("[\0-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufff9-\ufffb\ud800-\udfff]")
_JOINERS = " \u200c\u200d"


def is_storable(text: str) -> bool:
    """Whether `text` is no longer than any text may be, and every engine can keep it as it is.

    No NUL (PostgreSQL refuses it), no lone surrogates (no UTF-8).
    """
    return len(text) <= LONGEST_TEXT and _NOT_STORABLE.search(text) is None


def is_line(text: str, longest: int) -> bool:
    """Whether `text` is at most `longest` code points on one line that reads as it is written. Any script will do."""
    return len(text) <= longest and _NOT_IN_A_LINE.search(text) is None


def clean_line(text: str, longest: int) -> str:
    """The nearest text to `text` that is a line of at most `longest` code points; empty if nothing of it can stay."""
    # Cut first. Twice, because what is taken out makes room.
    spaced = _NOT_IN_A_LINE.sub(" ", text[: 4 * longest])
    return re.sub(" {2,}", " ", spaced).strip(" ")[:longest].rstrip(_JOINERS)


def normalise(text: str) -> str:
    """`text` in NFC.

    Raises:
        ValueError: the caller has let a text in that is longer than anything that is normalised.
    """
    if len(text) > _LONGEST_NORMALISED:
        raise ValueError("a text that nobody has measured")
    return unicodedata.normalize("NFC", text)
