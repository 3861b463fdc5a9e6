"""docs/specifications.md is true as far as a test can see: its tests and decisions exist, and no claim is left out."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.architecture.test_requirement_rows import CLAIMED

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs" / "specifications.md"
STATES: Final = {"implemented", "partly", "decided against", "not built"}
OTHER_NAMES: Final = {"OIDC Core": "OpenID Connect Core", "ASVS": "OWASP ASVS"}
"""How the page calls what docstrings name shortly."""

_ROW = re.compile(r"^\| (?!specification \|)([^|\n]+?) \| ([^|\n]+?) \| ([^|\n]*?) ?\| ?([^|\n]*?) ?\|$", re.MULTILINE)
_TEST = re.compile(r"`(tests/[\w/]+\.py)`")
_DECISION = re.compile(r"\[(?:decision )?(\d+)\]\((decisions/(\d{4})-[\w-]+\.md)\)")


@dataclass(frozen=True)
class Row:
    """One specification, as the page says it."""

    name: str
    state: str
    note: str
    tests: str

    @property
    def files(self) -> list[Path]:
        return [ROOT / path for path in _TEST.findall(self.tests)]

    @property
    def decisions(self) -> list[tuple[str, str, str]]:
        """The number in words, the link, and the number in the link."""
        return _DECISION.findall(self.note)


def read_rows() -> list[Row]:
    rows = [Row(*found) for found in _ROW.findall(PAGE.read_text(encoding="utf-8"))]
    assert len(rows) > 40
    return rows


def find_faults(row: Row) -> list[str]:
    """What the row says and cannot be true."""
    missing = [path.as_posix() for path in row.files if not path.is_file()]
    wrong = [
        link for said, link, number in row.decisions if int(said) != int(number) or not (PAGE.parent / link).exists()
    ]
    faults = {
        "an unknown state": row.state not in STATES,
        "something that is no file of tests": bool(re.sub(r"[`, ]", "", _TEST.sub("", row.tests))),
        "no test": row.state in {"implemented", "partly"} and not row.files,
        "no decision": row.state == "decided against" and not row.decisions,
        "no reason": row.state != "implemented" and not row.note,
        "nothing missing": row.state == "partly" and not re.search(r"missing|Missing|Only|do not apply", row.note),
    }
    return [*missing, *wrong, *(fault for fault, holds in faults.items() if holds)]


def claimed_documents() -> list[str]:
    """The specifications of whose sections tests are claimed."""
    short = (row.rpartition(" ")[0] for row in CLAIMED)
    return list(dict.fromkeys(short))


@pytest.mark.parametrize("row", read_rows(), ids=lambda row: row.name)
def test_a_row_names_what_exists(row: Row) -> None:
    assert find_faults(row) == []


def test_every_line_of_the_tables_is_read() -> None:
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    assert len(lines) - 3 == len(read_rows()), "but for the three heads"
    names = [row.name for row in read_rows()]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("document", claimed_documents())
def test_what_tests_claim_has_a_row_and_one_of_its_tests_names_it(document: str) -> None:
    """A claim is for something that is built."""
    name = OTHER_NAMES.get(document, document)
    (row,) = [row for row in read_rows() if row.name == name or row.name.startswith(f"{name} ")]
    assert row.state in {"implemented", "partly"}
    texts = " ".join(path.read_text(encoding="utf-8") for path in row.files)
    assert document in texts or name in texts


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        (Row("A", "done", "Well", "`tests/architecture/test_docs.py`"), "an unknown state"),
        (Row("A", "implemented", "", ""), "no test"),
        (Row("A", "implemented", "", "`tests/architecture/test_docs.py`, later"), "something that is no file of tests"),
        (Row("A", "implemented", "", "`tests/gone.py`"), (ROOT / "tests" / "gone.py").as_posix()),
        (Row("A", "decided against", "It is big", ""), "no decision"),
        (Row("A", "not built", "", ""), "no reason"),
        (Row("A", "partly", "Well", "`tests/architecture/test_docs.py`"), "nothing missing"),
        (Row("A", "not built", "[decision 6](decisions/0007-gone.md)", ""), "decisions/0007-gone.md"),
        (Row("A", "not built", "[decision 5](decisions/0006-algorithms.md)", ""), "decisions/0006-algorithms.md"),
    ],
)
def test_what_cannot_be_true_is_found(row: Row, fault: str) -> None:
    assert find_faults(row) == [fault]
