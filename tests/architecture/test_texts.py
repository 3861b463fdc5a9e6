"""Texts from outside are measured at one place before they are put in a normal form (`authserver.protocol.text`)."""

from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "authserver"


def test_texts_are_normalised_at_one_place() -> None:
    """Anybody else would have to measure them first, and forget it."""
    found = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if "unicodedata" in path.read_text(encoding="utf-8")
    }
    assert found == {"protocol/text.py"}
