"""Extracts and compiles the sentences of the pages (`make messages`). Tests check that this was done.

Only this needs Babel; the server reads the catalogues with the standard library.
"""

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from authserver.web.pages.languages import DOMAIN, LANGUAGES, LOCALE

PAGES: Final = LOCALE.parent
METHODS: Final = [("templates/**.html", "jinja2"), ("**.py", "python")]
KEYWORDS: Final = {"_": None, "translate": None, "mark": None, "translate_number": (1, 2)}
TRANSLATED: Final = LANGUAGES[1:]
_SOMETIME = datetime(2026, 1, 1, tzinfo=UTC)  # a date that changes would make every catalogue another file each time


def gather() -> Catalog:
    """Extract all sentences of code and templates."""
    gathered = Catalog(charset="utf-8", creation_date=_SOMETIME)
    for _, _, message, _, _ in extract_from_dir(PAGES, METHODS, keywords=KEYWORDS):
        gathered.add(message)
    return gathered


def read(language: str) -> Catalog:
    """Read the edited catalogue of `language`; empty if there is none."""
    path = find_po(language)
    if not path.exists():
        return Catalog(locale=language, charset="utf-8", creation_date=_SOMETIME, revision_date=_SOMETIME)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def find_po(language: str) -> Path:
    """The file that translators edit."""
    return LOCALE / language / "LC_MESSAGES" / f"{DOMAIN}.po"


def compile_catalogue(catalogue: Catalog) -> bytes:
    """Compile a catalogue to the form that is shipped."""
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    return compiled.getvalue()


def update(language: str) -> None:
    """Update the catalogue of `language` with the extracted sentences, keep translations, and compile it."""
    catalogue = read(language)
    catalogue.update(gather(), no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    catalogue.creation_date = catalogue.revision_date = _SOMETIME
    catalogue.project, catalogue.version, catalogue.fuzzy, catalogue.header_comment = "authserver", "pages", False, ""
    catalogue.last_translator = catalogue.language_team = catalogue.msgid_bugs_address = "authserver"
    path = find_po(language)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, catalogue, width=120, no_location=True, sort_output=True, ignore_obsolete=True)
    path.with_suffix(".mo").write_bytes(compile_catalogue(read(language)))


if __name__ == "__main__":
    for each in TRANSLATED:
        update(each)
