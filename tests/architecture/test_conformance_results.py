"""The page of the conformance suite's results: every plan, no failure, a reason for each that did not pass."""

import re
from pathlib import Path
from typing import Final

import pytest

from tests.conformance.plans import FAPI, PLANS
from tests.conformance.results import Finding, Result, find_findings
from tests.conformance.table import write_table

PAGE: Final = Path(__file__).parents[2] / "docs" / "results" / "conformance.md"
FAPI_PAGE: Final = PAGE.with_name("fapi2.md")
_ROW = re.compile(r"^\| (.+?) \| `([a-z0-9-]+)` \| `([A-Z]+)` \| ?(.*?) ?\|$", re.MULTILINE)


def read_rows(page: Path = PAGE) -> list[tuple[str, str, str, str]]:
    """Plan, module, result and reason of each row."""
    rows: list[tuple[str, str, str, str]] = _ROW.findall(page.read_text(encoding="utf-8"))
    return rows


def test_every_plan_was_run() -> None:
    assert list(dict.fromkeys(plan for plan, *_ in read_rows())) == [plan.title for plan in PLANS]


def test_no_module_failed_and_each_that_did_not_pass_has_a_reason() -> None:
    allowed = {"PASSED", "WARNING", "REVIEW", "SKIPPED"}
    wrong = [row for row in read_rows() if row[2] not in allowed or (row[2] != "PASSED" and not row[3])]
    assert wrong == []


def test_what_fails_in_the_stretch_has_a_reason() -> None:
    rows = read_rows(FAPI_PAGE)
    assert {plan for plan, *_ in rows} == {FAPI.title}
    assert [row for row in rows if row[2] != "PASSED" and not row[3]] == []


def test_a_table_has_the_reasons_of_what_did_not_pass() -> None:
    finding = Finding("ExpectSecondLoginPage", "REVIEW", "A screenshot must be uploaded.")
    passed, reviewed = Result("Plan", "one", "PASSED", ()), Result("Plan", "two", "REVIEW", (finding,), ("Sign in",))
    table = write_table([passed, reviewed], "release-1, commit abc", "2026-11-25")
    rows = _ROW.findall(table)
    assert rows[0] == ("Plan", "one", "PASSED", "")
    assert rows[1][3].startswith("Screenshot of “Sign in”. The suite leaves screenshots to a person.")
    assert "release-1, commit abc" in table


@pytest.mark.parametrize(
    ("findings", "named"),
    [((), ["some-module"]), ((Finding("SomethingNew", "WARNING", "Look here."),) * 2, ["SomethingNew"])],
)
def test_what_has_no_reason_is_named(findings: tuple[Finding, ...], named: list[str]) -> None:
    assert Result("Plan", "some-module", "WARNING", findings).unexplained == named
    assert Result("Plan", "some-module", "PASSED", findings).unexplained == []


def test_only_what_did_not_hold_is_found_in_a_log() -> None:
    log = [
        {"src": "CheckState", "result": "SUCCESS", "msg": "fine"},
        {"src": "-START-BLOCK-", "msg": "a heading"},
        {"src": "CheckThis", "result": "FAILURE", "msg": "wrong"},
    ]
    assert list(find_findings(log)) == [Finding("CheckThis", "FAILURE", "wrong")]
