"""Functions and files stay small: a breach usually means that a concept is missing."""

import ast
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "authserver"
LONGEST_FUNCTION = 40
LONGEST_FILE = 300

FILES = {str(path.relative_to(PACKAGE)): path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")}


def test_no_function_is_longer_than_a_page() -> None:
    """Signature and docstring included."""
    functions = {
        f"{file}::{node.name}": (node.end_lineno or 0) - node.lineno + 1
        for file, source in FILES.items()
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {name: lines for name, lines in functions.items() if lines > LONGEST_FUNCTION} == {}


def test_no_file_is_too_long_to_read_at_once() -> None:
    lengths = {file: len(source.splitlines()) for file, source in FILES.items()}
    assert {file: lines for file, lines in lengths.items() if lines > LONGEST_FILE} == {}
