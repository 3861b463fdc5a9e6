"""The translations are whole, and compiled from what people edit."""

import re

import pytest
from babel.messages.catalog import Message

from authserver.web.pages.languages import LANGUAGES, LOCALE, choose_language
from tests.support.world import catalogues

STALE = "run `make messages`, and translate what is empty in the .po file"


def texts(message: Message) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What is to be said, and how it is said in the other language."""
    ids = message.id if isinstance(message.id, tuple) else (message.id,)
    strings = message.string if isinstance(message.string, tuple) else (message.string,)
    return tuple(map(str, ids)), tuple(str(text or "") for text in strings)


@pytest.mark.parametrize("language", catalogues.TRANSLATED)
def test_every_sentence_is_translated(language: str) -> None:
    catalogue = catalogues.read(language)
    gathered = {texts(message)[0] for message in catalogues.gather() if message.id}
    known = {said: translated for said, translated in map(texts, catalogue) if said != ("",)}
    assert gathered == known.keys(), STALE
    assert [said for said, translated in known.items() if not all(translated)] == [], STALE


@pytest.mark.parametrize("language", catalogues.TRANSLATED)
def test_a_translation_names_the_same_values(language: str) -> None:
    for message in catalogues.read(language):
        said, translated = texts(message)
        if message.id:
            assert {_list_values(text) for text in said} == {_list_values(text) for text in translated}, said


@pytest.mark.parametrize("language", catalogues.TRANSLATED)
def test_what_is_shipped_is_compiled_from_it(language: str) -> None:
    compiled = catalogues.find_po(language).with_suffix(".mo").read_bytes()
    assert compiled == catalogues.compile_catalogue(catalogues.read(language)), STALE


def test_every_language_has_its_folder() -> None:
    assert {path.name for path in LOCALE.iterdir()} == set(LANGUAGES[1:])


@pytest.mark.parametrize(
    ("preferred", "language"),
    [
        ([], "en"),
        (["de"], "de"),
        (["de-AT"], "de"),
        (["DE_ch"], "de"),
        (["fr", "de", "en"], "de"),
        (["fr", "en-GB", "de"], "en"),
        (["*"], "en"),
        (["../de", "xx", ""], "en"),
    ],
)
def test_the_first_language_that_we_speak_is_spoken(preferred: list[str], language: str) -> None:
    """OIDC Core §3.1.2.1, `ui_locales`: no error where none of them is known."""
    assert choose_language(iter(preferred)) == language


def _list_values(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"%\((\w+)\)[sd]", text))
