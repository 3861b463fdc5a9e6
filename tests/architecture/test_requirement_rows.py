"""Every requirement that is claimed has a test whose docstring names it, so that none loses its proof unnoticed.

A docstring names rows of OWASP ASVS 5.0.0 as `ASVS 6.2.1, 6.2.9`, sections of RFCs as `RFC 7009 §2.1, §2.2` and of
OpenID Connect Core as `OIDC Core §12.2`. This test only sees that a row is named; that the test under the name proves
the row is for its reader to judge.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]

PASSWORDS_AND_SESSIONS = (
    *("ASVS 6.2.1", "ASVS 6.2.2", "ASVS 6.2.3", "ASVS 6.2.4", "ASVS 6.2.5", "ASVS 6.2.7", "ASVS 6.2.8"),
    *("ASVS 6.2.9", "ASVS 6.2.10", "ASVS 6.2.11", "ASVS 6.2.12"),
    *("ASVS 6.3.5", "ASVS 6.3.7", "ASVS 6.3.8"),
    *("ASVS 6.4.1", "ASVS 6.4.2", "ASVS 6.4.6"),
    *("ASVS 7.1.1", "ASVS 7.1.2", "ASVS 7.1.3"),
    *("ASVS 7.2.1", "ASVS 7.2.2", "ASVS 7.2.3"),
    *("ASVS 7.3.1", "ASVS 7.3.2"),
    *("ASVS 7.4.1", "ASVS 7.4.2", "ASVS 7.4.3", "ASVS 7.4.4", "ASVS 7.4.5"),
    *("ASVS 7.5.1", "ASVS 7.5.2", "ASVS 7.5.3"),
)
"""Credential events and what each of them ends."""

FEED_AND_VERIFIER = (
    *("ASVS 8.3.2",),
    *("ASVS 9.1.1", "ASVS 9.1.2", "ASVS 9.1.3", "ASVS 9.2.1", "ASVS 9.2.2", "ASVS 9.2.3"),
    *("RFC 6750 §2", "RFC 6750 §3", "RFC 6750 §3.1"),
    *("RFC 7009 §2", "RFC 7009 §2.1", "RFC 7009 §2.2", "RFC 7009 §2.2.1", "RFC 7009 §5"),
    *("RFC 7662 §2.1", "RFC 7662 §2.2", "RFC 7662 §4"),
    *("RFC 8725 §3.1", "RFC 8725 §3.3", "RFC 8725 §3.4", "RFC 8725 §3.5", "RFC 8725 §3.7", "RFC 8725 §3.8"),
    *("RFC 8725 §3.9", "RFC 8725 §3.10", "RFC 8725 §3.11", "RFC 8725 §3.12"),
    *("RFC 8725bis §3.1", "RFC 8725bis §3.12", "RFC 8725bis §3.13", "RFC 8725bis §3.14"),
    *("RFC 9068 §2.1", "RFC 9068 §2.2", "RFC 9068 §3", "RFC 9068 §4", "RFC 9068 §5"),
)
"""What a resource server checks, and what it is told."""

PAGES = (
    *("ASVS 3.3.1", "ASVS 3.3.2", "ASVS 3.3.3", "ASVS 3.3.4"),
    *("ASVS 3.4.1", "ASVS 3.4.2", "ASVS 3.4.3", "ASVS 3.4.4", "ASVS 3.4.5", "ASVS 3.4.6", "ASVS 3.4.8"),
    *("ASVS 3.5.1", "ASVS 6.2.6", "ASVS 15.3.7"),
)
"""What a page and its cookies carry, and where a form may come from."""

AUTHORIZATION = (
    *("ASVS 3.5.2", "ASVS 7.6.1", "ASVS 7.6.2", "ASVS 9.2.4"),
    *("ASVS 10.1.1", "ASVS 10.1.2", "ASVS 10.2.1", "ASVS 10.2.2"),
    *("ASVS 10.3.1", "ASVS 10.3.2", "ASVS 10.3.3", "ASVS 10.3.4"),
    *("ASVS 10.4.1", "ASVS 10.4.2", "ASVS 10.4.3", "ASVS 10.4.6", "ASVS 10.4.7"),
    *("ASVS 10.5.1", "ASVS 10.5.2", "ASVS 10.5.3", "ASVS 10.5.4", "ASVS 10.5.5"),
    *("ASVS 10.6.1", "ASVS 10.6.2", "ASVS 10.7.1", "ASVS 10.7.2"),
    *("RFC 7591 §2", "RFC 7591 §3", "RFC 7591 §3.2.1", "RFC 7591 §3.2.2"),
    *("RFC 7592 §2", "RFC 7592 §2.1", "RFC 7592 §2.2", "RFC 7592 §2.3", "RFC 7592 §3"),
    *("RFC 7636 §4.1", "RFC 7636 §4.2", "RFC 7636 §4.3", "RFC 7636 §4.4", "RFC 7636 §4.5", "RFC 7636 §4.6"),
    *("RFC 8252 §6", "RFC 8252 §7.1", "RFC 8252 §7.2", "RFC 8252 §7.3"),
    *("RFC 8252 §8.4", "RFC 8252 §8.5", "RFC 8252 §8.6"),
    *("RFC 9207 §2", "RFC 9207 §2.4", "RFC 9207 §3"),
    *("RFC 9700 §2.1", "RFC 9700 §2.1.1", "RFC 9700 §2.1.2", "RFC 9700 §2.2.2", "RFC 9700 §2.3", "RFC 9700 §2.4"),
    *("RFC 9700 §2.6", "RFC 9700 §4.2.4", "RFC 9700 §4.5", "RFC 9700 §4.8.2", "RFC 9700 §4.11.2"),
    *("RFC 9700 §4.12", "RFC 9700 §4.13", "RFC 9700 §4.14.2", "RFC 9700 §4.15", "RFC 9700 §4.16"),
    "ASVS 10.4.13",
    *("RFC 8628 §3.1", "RFC 8628 §3.2", "RFC 8628 §3.3", "RFC 8628 §3.3.1", "RFC 8628 §3.4", "RFC 8628 §3.5"),
    *("RFC 8628 §4", "RFC 8628 §5.1", "RFC 8628 §5.2", "RFC 8628 §5.4", "RFC 8628 §6.1"),
    *("RFC 9126 §2.1", "RFC 9126 §2.2", "RFC 9126 §2.3", "RFC 9126 §4", "RFC 9126 §5", "RFC 9126 §6"),
    *("RFC 9126 §7.1", "RFC 9126 §7.2", "RFC 9126 §7.3"),
    *("OIDC Core §3.1.2.1", "OIDC Core §3.1.3.7", "OIDC Core §5.3.2", "OIDC Core §10.1.1", "OIDC Core §12.2"),
)
"""Authorization code, single sign-on, OpenID Connect; what is wanted of clients, by the example of one."""

DPOP = (
    *("ASVS 10.3.5", "ASVS 10.4.14", "RFC 7638 §3.1", "RFC 9700 §2.2.1"),
    *("RFC 9449 §4.1", "RFC 9449 §4.3", "RFC 9449 §5", "RFC 9449 §5.1", "RFC 9449 §5.2", "RFC 9449 §6.1"),
    *("RFC 9449 §6.2", "RFC 9449 §7.1", "RFC 9449 §7.2", "RFC 9449 §8", "RFC 9449 §8.1", "RFC 9449 §8.2"),
    *("RFC 9449 §9", "RFC 9449 §10", "RFC 9449 §11.1", "RFC 9449 §11.3"),
)
"""Tokens that are bound to a key of the client."""

CLIENTS = (
    *("ASVS 6.8.2", "ASVS 10.4.4", "ASVS 10.4.10", "ASVS 10.4.16"),
    *("RFC 6749 §4.4", "RFC 6749 §4.4.3", "RFC 7521 §4.2", "RFC 7523 §2.2", "RFC 7523 §3"),
    *("RFC 8707 §2", "RFC 9700 §2.5"),
)
"""How clients authenticate, and what they may do for themselves."""

ACCOUNT_PAGES = ("ASVS 3.5.3", "ASVS 7.2.4", "ASVS 10.4.9", "ASVS 10.7.3")
"""What people see and end at the pages about their accounts."""

AUDIT = ("ASVS 16.3.1", "ASVS 16.3.2")
"""What is recorded of sign-ins and of refused authorisations."""

CLAIMED = (
    *(*PASSWORDS_AND_SESSIONS, *FEED_AND_VERIFIER, *PAGES, *AUTHORIZATION),
    *(*DPOP, *CLIENTS, *ACCOUNT_PAGES, *AUDIT),
)
"""Every row that must stay proven. Whoever claims more writes a tuple above and names it here."""

_ASVS = re.compile(r"\bASVS (\d+\.\d+\.\d+(?:, \d+\.\d+\.\d+)*)")
_SECTIONS = re.compile(r"\b(RFC \d+(?:bis)?|OIDC Core) (§\d+(?:\.\d+)*(?:, §\d+(?:\.\d+)*)*)")


def find_named(docstring: str) -> Iterator[str]:
    """The rows that a docstring names."""
    text = " ".join(docstring.split())
    for listed in _ASVS.findall(text):
        yield from (f"ASVS {row}" for row in listed.split(", "))
    for document, listed in _SECTIONS.findall(text.replace("OpenID Connect Core", "OIDC Core")):
        yield from (f"{document} {section}" for section in listed.split(", "))


@pytest.fixture(scope="module")
def named() -> set[str]:
    """The rows that the docstrings of tests name."""
    docstrings = [docstring for path in TESTS.rglob("test_*.py") for docstring in _docstrings(path)]
    return {row for docstring in docstrings for row in find_named(docstring)}


def _docstrings(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield ast.get_docstring(node) or ""


@pytest.mark.parametrize("row", CLAIMED)
def test_a_claimed_row_has_a_test_that_names_it(row: str, named: set[str]) -> None:
    assert row in named


def test_no_row_is_claimed_twice() -> None:
    assert len(set(CLAIMED)) == len(CLAIMED)


def test_rows_are_found_in_lists_and_over_the_end_of_a_line() -> None:
    found = find_named(
        "Why. ASVS 6.2.1,\n    6.2.10: text; RFC 7009 §2, §2.1 and RFC 8725bis §3.14. Not 1.2.3, RFC 6749."
    )
    assert list(found) == ["ASVS 6.2.1", "ASVS 6.2.10", "RFC 7009 §2", "RFC 7009 §2.1", "RFC 8725bis §3.14"]
    assert list(find_named("OpenID Connect\n    Core §8.1, §9")) == ["OIDC Core §8.1", "OIDC Core §9"]
