"""The language of a page: what the application asked for, else what the browser prefers, else English.

Source texts are English. A further language is one folder below `locale` and one entry in `LANGUAGES`; `make messages`
gathers what is to be translated. Sentences that stand in code are marked with `mark` where they cannot be translated
yet, because nobody is asking.
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
    """Prefer these languages, as in OpenID Connect Core §3.1.2.1: tags with spaces between, the first one best."""
    g.ui_locales = ui_locales or ""
    g.pop("language", None)


def current_language() -> str:
    """The language of the page that is being made."""
    if "language" not in g:
        g.language = choose_language(_list_wishes())
    return str(g.language)


def choose_language(wishes: Iterator[str]) -> str:
    """The first of `wishes` (RFC 5646 tags) that there are texts for; regions make no difference."""
    known = (wish.replace("_", "-").partition("-")[0].lower() for wish in wishes)
    return next((language for language in known if language in LANGUAGES), LANGUAGES[0])


def translate(message: str, **values: object) -> str:
    """`message` in the language of this page, with `%(name)s` replaced by the value of that name."""
    text = _keep_whole(_load(current_language()).gettext(message))
    return text % values if values else text


def translate_number(singular: str, plural: str, number: int, **values: object) -> str:
    """The same for a message about `number` things; `%(number)d` is that number."""
    text = _keep_whole(_load(current_language()).ngettext(singular, plural, number))
    return text % {"number": number, **values}


def mark(message: str) -> str:
    """`message` itself: for the catalogues to know it."""
    return message


def _keep_whole(text: str) -> str:
    """`text` with hyphens that end no line: "e-" at the end of one, and "mail" on the next, is hard to read."""
    return _MAIL.sub("\\1\N{NON-BREAKING HYPHEN}\\2", text)


@cache
def _load(language: str) -> gettext.NullTranslations:
    if language == LANGUAGES[0]:
        return gettext.NullTranslations()
    return gettext.translation(DOMAIN, LOCALE, [language])


def _list_wishes() -> Iterator[str]:
    yield from str(g.get("ui_locales", "")).split()
    # Best first. What a browser refuses outright (q=0) is left out.
    yield from (tag for tag, quality in request.accept_languages if quality > 0)
