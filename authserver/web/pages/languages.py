"""The language of a page: the one that the application asked for, else the browser's preference, else English.

Source texts are English. A new language is one folder in `locale` and one entry in `LANGUAGES`. `make messages`
collects the sentences for translators. Sentences that are defined outside a request, whose language is not known there,
are marked with `mark` and translated later.
"""

import gettext
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

from flask import g, request

LANGUAGES: Final = ("en", "de")
LOCALE: Final = Path(__file__).parent / "locale"
DOMAIN: Final = "pages"
_MAIL: Final = re.compile("\\b([Ee])-([Mm]ail)")


def use_locales(ui_locales: str | None) -> None:
    """Prefer these languages: tags separated by spaces, best first (OpenID Connect Core §3.1.2.1)."""
    g.ui_locales = ui_locales or ""
    g.pop("language", None)


def current_language() -> str:
    """The language of the current page."""
    if "language" not in g:
        g.language = choose_language(_list_preferred())
    return str(g.language)


def choose_language(preferred: Iterator[str]) -> str:
    """Choose the first of `preferred` (RFC 5646 tags) that has a catalogue, else English. Regions are ignored."""
    known = (tag.replace("_", "-").partition("-")[0].lower() for tag in preferred)
    return next((language for language in known if language in LANGUAGES), LANGUAGES[0])


def translate(message: str, **values: object) -> str:
    """Translate `message` into the language of this page, and replace `%(name)s` by the value of that name."""
    text = _keep_whole(_load(current_language()).gettext(message))
    return text % values if values else text


def translate_number(singular: str, plural: str, number: int, **values: object) -> str:
    """Translate a message about `number` things, in the singular or the plural; `%(number)d` is the number."""
    text = _keep_whole(_load(current_language()).ngettext(singular, plural, number))
    return text % {"number": number, **values}


def mark(message: str) -> str:
    """Return `message` unchanged. The call marks it for the catalogues."""
    return message


def _keep_whole(text: str) -> str:
    """Make the hyphen of "e-mail" non-breaking, so that no line ends after "e-"."""
    return _MAIL.sub("\\1\N{NON-BREAKING HYPHEN}\\2", text)


@cache
def _load(language: str) -> gettext.NullTranslations:
    if language == LANGUAGES[0]:
        return gettext.NullTranslations()
    return gettext.translation(DOMAIN, LOCALE, [language])


def _list_preferred() -> Iterator[str]:
    yield from str(g.get("ui_locales", "")).split()
    # Best first. Languages that the browser refuses (q=0) are left out.
    yield from (tag for tag, quality in request.accept_languages if quality > 0)
