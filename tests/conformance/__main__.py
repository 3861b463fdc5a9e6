"""`make conformance SUITE=…`: run the plans against a suite that is up, and write their results into one table."""

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from playwright.sync_api import sync_playwright

from tests.conformance.installation import installation
from tests.conformance.plans import FAPI, PLANS, Plan
from tests.conformance.results import Result
from tests.conformance.running import Run, run_plan
from tests.conformance.suite import Suite
from tests.conformance.table import write_table

RESULTS: Final = Path(__file__).parents[2] / "docs" / "results" / "conformance.md"


def main() -> int:
    """Run what was asked for. Return 1 if a module failed, or has a result without a reason."""
    arguments = _read_arguments()
    suite = Suite(arguments.suite)
    release = suite.describe()
    plans = [plan for plan in (*PLANS, FAPI) if plan.name in arguments.plan] or PLANS
    results = _run_plans(suite, plans, arguments)
    page = RESULTS if plans is PLANS and not arguments.module else arguments.write
    if page is not None:
        page.write_text(write_table(results, release, time.strftime("%Y-%m-%d", time.gmtime())))
    return _judge(results)


def _read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make conformance SUITE=… ARGS=…", description=__doc__)
    parser.add_argument("suite", help="where the suite is, such as https://localhost:8443")
    names = [plan.name for plan in (*PLANS, FAPI)]
    parser.add_argument("--plan", action="append", default=[], choices=names, help="this plan only")
    parser.add_argument("--module", action="append", default=[], help="this test module only")
    parser.add_argument("--logs", type=Path, metavar="FOLDER", help="keep the suite's log of each module there")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the results of a part there")
    return parser.parse_args()


def _run_plans(suite: Suite, plans: Sequence[Plan], arguments: argparse.Namespace) -> list[Result]:
    folder = Path(tempfile.mkdtemp(prefix="authserver-conformance-"))
    try:
        with installation(folder, suite) as installed, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
            run = Run(suite, installed, browser, arguments.module, arguments.logs)
            results = [result for plan in plans for result in run_plan(run, plan)]
            browser.close()
    finally:
        shutil.rmtree(folder)
    return results


def _judge(results: Sequence[Result]) -> int:
    failed = [one for one in results if one.has_failed]
    unexplained = [one for one in results if one.unexplained]
    for one in unexplained:
        sys.stderr.write(f"{one.module}: {one.result}, and no reason for {', '.join(one.unexplained)}\n")
    sys.stderr.write(f"{len(results)} modules, {len(failed)} failed, {len(unexplained)} without a reason\n")
    return 1 if failed or unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
