"""The operator's own descriptions of scopes, which a person reads before they allow an app something.

The installation has some (a setting), and so may a client (its record). Knows no page and no request. The texts are
shown as text, never as HTML.
"""

import re
from collections.abc import Mapping
from typing import Final

ScopeTexts = Mapping[str, Mapping[str, str]]
"""Scope → language → text. Each scope has a text in `ELSE`."""

ELSE: Final = "en"
"""The language for people in whose language there is no text."""

LONGEST_TEXT: Final = 120
_MOST_SCOPES: Final = 100
_SCOPE: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,200}\Z")  # RFC 6749 §3.3
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}\Z")
_REMEDY: Final = (
    'must be a table of texts, {"albums:read": "See your albums"}, or of texts for each language,'
    f' {{"albums:read": {{"{ELSE}": "See your albums", "de": "Ihre Alben sehen"}}}}'
)


def read_scope_texts(table: object) -> ScopeTexts:
    """Read the texts of `table`: scope → text, or scope → language → text.

    Raises:
        ValueError: something in it cannot be shown. The message is one line and repeats no text.
    """
    if not isinstance(table, Mapping) or len(table) > _MOST_SCOPES:
        raise ValueError(_REMEDY)
    return {_read_scope(scope): _read_texts(texts) for scope, texts in table.items()}


def _read_scope(scope: object) -> str:
    if not isinstance(scope, str) or not _SCOPE.match(scope):
        raise ValueError(_REMEDY)
    return scope


def _read_texts(texts: object) -> Mapping[str, str]:
    by_language = {ELSE: texts} if isinstance(texts, str) else texts
    if not isinstance(by_language, Mapping):
        raise ValueError(_REMEDY)  # noqa: TRY004 - of what an operator wrote
    if ELSE not in by_language:
        raise ValueError(f'must have a text in "{ELSE}" for each scope, for people in whose language there is none')
    return {_read_language(language): _read_text(text) for language, text in by_language.items()}


def _read_language(language: object) -> str:
    if not isinstance(language, str) or not _LANGUAGE.match(language):
        raise ValueError(_REMEDY)
    return language


def _read_text(text: object) -> str:
    line = text.strip() if isinstance(text, str) else ""
    if not 0 < len(line) <= LONGEST_TEXT or not line.isprintable():
        raise ValueError(f"each text must have 1 to {LONGEST_TEXT} printable characters")
    return line
