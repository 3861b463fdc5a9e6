"""The numbers of the contract stand once, in `protocol/limits.py`."""

import ast
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from authserver.protocol import limits

PACKAGE = Path(__file__).parents[2] / "authserver"
LIMITS = {name: value for name, value in vars(limits).items() if name.isupper() and name != "SECOND"}

OTHERS = {
    ("clock.py", "LEEWAY"),  # `limits` takes it from there, as the clock imports nothing
    ("authorization/pending_request.py", "LIFETIME"),  # of a request
    ("protocol/authorization_code.py", "CODE_LIFETIME"),  # of a code
    ("protocol/dpop_nonce.py", "NONCE_LIFETIME"),  # of a nonce
    ("jose/dpop_proof.py", "PROOF_LIFETIME"),  # of a proof
    ("protocol/pushed_request.py", "REQUEST_URI_LIFETIME"),  # of a pushed request
    ("jose/client_assertion.py", "LONGEST_LIFETIME"),  # of a client assertion
    ("records/client_document.py", "USUAL_AGE"),  # of a document of a client
}
"""A number that happens to be that of a limit, under a name that sounds like it."""


def read_length(node: ast.expr | None) -> timedelta | None:
    """The length that a literal means: `timedelta(seconds=30)`, or a number of seconds."""
    match node:
        case ast.Call(func=ast.Name(id="timedelta"), keywords=keywords) if keywords and all(map(is_literal, keywords)):
            unit = {keyword.arg: keyword.value for keyword in keywords}
            return timedelta(**{str(name): ast.literal_eval(value) for name, value in unit.items()})
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return timedelta(seconds=number) if abs(number) < 1e9 else None
        case ast.BinOp(op=ast.Mult(), left=left, right=right):
            first, second = read_length(left), read_length(right)
            return None if first is None or second is None else first * second.total_seconds()
        case _:
            return None


def is_literal(keyword: ast.keyword) -> bool:
    """Whether a number is written there, rather than read from somewhere."""
    return isinstance(keyword.value, ast.Constant)


def lengths(source: str) -> Iterator[tuple[str, timedelta]]:
    """Each name to which a literal length is given: a constant, a field, a default, an argument."""
    for node in ast.walk(ast.parse(source)):
        given: list[tuple[str, ast.expr | None]] = []
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                given = [(name, value)]
            case ast.AnnAssign(target=ast.Name(id=name), value=value):
                given = [(name, value)]
            case ast.keyword(arg=str(name), value=value):
                given = [(name, value)]
            case ast.arguments(args=args, defaults=defaults, kwonlyargs=only, kw_defaults=only_defaults):
                positional = zip(args[len(args) - len(defaults) :], defaults, strict=True)
                given = [(arg.arg, value) for arg, value in (*positional, *zip(only, only_defaults, strict=True))]
            case _:
                pass
        yield from ((name, length) for name, value in given if (length := read_length(value)) is not None)


def repeats(source: str) -> set[str]:
    """The names to which a module gives the number of a limit, where the last word of both is one."""
    known = {(name.rpartition("_")[2], value) for name, value in LIMITS.items()}
    return {name for name, length in lengths(source) if (name.upper().rpartition("_")[2], length) in known}


def test_no_number_of_the_contract_stands_twice() -> None:
    found = {
        (str(path.relative_to(PACKAGE)), name)
        for path in PACKAGE.rglob("*.py")
        if path != PACKAGE / "protocol" / "limits.py"
        for name in repeats(path.read_text(encoding="utf-8"))
    }
    assert found == OTHERS


@pytest.mark.parametrize(
    "source",
    [
        "VERIFIER_LEEWAY: Final = timedelta(seconds=30)",
        "LONGEST_LEEWAY = 30.0",
        "_KEY_WINDOW = 30 * 24 * 3600",
        "def f(*, longest_lifetime: float = 3600): ...",
        "def f(a, staleness=10): ...",
        "check(leeway=30)",
        "class Settings:\n    jwks_max_age: timedelta = timedelta(minutes=5)",
    ],
)
def test_a_repeated_number_is_found(source: str) -> None:
    assert len(repeats(source)) == 1


@pytest.mark.parametrize(
    "source", ["LEASE = timedelta(seconds=60)", "leeway = 5", "LEEWAY = limits.LEEWAY", "PAGE = 30"]
)
def test_another_number_passes(source: str) -> None:
    assert repeats(source) == set()
