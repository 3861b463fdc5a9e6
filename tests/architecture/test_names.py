"""Names are words that a reader of the RFCs expects, and one thing has one name."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "authserver"

SAY_INSTEAD = {
    r"wish(es|ed)?": "request",
    r"hit": "count; `Limits.hit` has the name that its library has",
    r"oversee|foresee": "look up, preview",
}
"""A word in a name → what to say."""

ALLOWED = {("web/limits/limits.py", "hit"), ("web/limits/limits.py", "_hit")}


def words(name: str) -> list[str]:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().split("_")


def names(path: Path) -> Iterator[str]:
    """The names that a file gives: its own, and those of its classes, functions, arguments and variables."""
    yield path.stem
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()):
                yield name
            case _:
                pass


@pytest.mark.parametrize("word", SAY_INSTEAD)
def test_a_name_says_what_the_field_says(word: str) -> None:
    found = {
        (str(path.relative_to(PACKAGE)), name)
        for path in PACKAGE.rglob("*.py")
        for name in names(path)
        if any(re.fullmatch(word, one) for one in words(name))
    }
    assert found <= ALLOWED, f"say {SAY_INSTEAD[word]}"


def test_two_records_of_a_refusal_have_two_names() -> None:
    """`Refused` is the outcome of a use case, and nothing else."""
    defined = [str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py") if "Refused" in set(names(path))]
    assert defined == ["realm/outcomes.py"]


RETURNS = {
    "say": r"str|Sentence",
    "tell": r"Told$",
    "describe": r"^(?!None$|str$|Told$)",
    "explain": r"Problem|FieldError|Sentence|ClickException|^None$",
}
"""First word of a function's name → what it returns. `policy explain` is the name of a command."""


@pytest.mark.parametrize("word", RETURNS)
def test_functions_that_put_something_into_words_follow_one_rule(word: str) -> None:
    """Words, a page of them, facts, or what a caller gets for a refusal."""
    broken = {
        f"{path.relative_to(PACKAGE)}::{node.name}"
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and words(node.name.strip("_"))[0] == word
        if not re.search(RETURNS[word], ast.unparse(node.returns) if node.returns else "None")
    }
    assert broken == set()
