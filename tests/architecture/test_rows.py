"""Rows are decoded by the names of their columns: an added column puts no value into another's place."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

STORAGE = Path(__file__).parents[2] / "authserver" / "storage"


def positional_reads(source: str) -> Iterator[str]:
    """What reads a row by position: `row[0]`, `a, b = row`, `Record(*row)`, `for a, b in rows`."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Subscript(value=ast.Name(id="row"), slice=ast.Constant(value=int()) | ast.Slice() | ast.UnaryOp()):
                yield ast.unparse(node)
            case ast.Starred(value=ast.Name(id="row")):
                yield ast.unparse(node)
            case ast.Assign(targets=[ast.Tuple() as target], value=ast.Name(id="row")):
                yield ast.unparse(target)
            case (
                ast.For(target=ast.Tuple() as target, iter=read)
                | ast.comprehension(target=ast.Tuple() as target, iter=read)
            ) if ast.unparse(read) == "rows" or ".execute(" in ast.unparse(read):
                yield ast.unparse(target)


@pytest.mark.parametrize("path", sorted(STORAGE.glob("*.py")), ids=lambda path: path.stem)
def test_rows_are_decoded_by_name(path: Path) -> None:
    assert list(positional_reads(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "source",
    [
        "User(row[0])",
        "User(row[:-1])",
        "row[-1]",
        "Head(*row)",
        "scope, audience = row",
        "first, *others = row",
        "[f(a, b) for a, b in rows]",
        "for a, b in tx.execute(select(x, y)): pass",
    ],
)
def test_a_position_is_found(source: str) -> None:
    assert len(list(positional_reads(source))) == 1


@pytest.mark.parametrize("source", ["User(row.name)", "row['at']", "[f(row.a) for row in rows]", "a, b = pair"])
def test_a_name_passes(source: str) -> None:
    assert list(positional_reads(source)) == []
