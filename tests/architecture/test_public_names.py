"""The names that other people's code may import: each of them is kept, and a new one is a decision."""

import inspect
from pathlib import Path

from authserver import embedding
from authserver.credentials.events import EVENTS

COMMITTED = Path(__file__).with_name("public_names.txt")
DOCUMENTS = Path(__file__).parents[2] / "docs"


def _describe() -> list[str]:
    """Every public name of the facade, and of its own classes every method with its arguments."""
    lines = []
    for name in embedding.__all__:
        value = getattr(embedding, name)
        lines.append(name)
        if inspect.isclass(value) and value.__module__ == embedding.__name__:
            methods = (one for one in vars(value).items() if inspect.isfunction(one[1]) and not one[0].startswith("_"))
            lines += [f"{name}.{method}({', '.join(inspect.signature(code).parameters)})" for method, code in methods]
    return lines


def test_the_facade_offers_what_is_committed() -> None:
    assert _describe() == COMMITTED.read_text(encoding="utf-8").splitlines()


def test_the_facade_has_every_event() -> None:
    assert {event.__name__ for event in EVENTS} <= set(embedding.__all__)


def test_documents_import_nothing_deeper() -> None:
    imported = {
        line.split()[1]
        for document in DOCUMENTS.glob("*.md")
        for line in document.read_text(encoding="utf-8").splitlines()
        if line.startswith(("from authserver", "import authserver"))
    }
    assert {name for name in imported if not name.startswith("authserver.verifier")} == {"authserver.embedding"}
