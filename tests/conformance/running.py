"""Runs a plan: each of its modules from its creation to its result, with what the browser has to do meanwhile."""

import json
import sys
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser
from playwright.sync_api import Error as BrowserError

from tests.conformance.installation import Installation
from tests.conformance.person import Person, Shown, person
from tests.conformance.plans import Plan
from tests.conformance.results import Result, find_findings
from tests.conformance.suite import Module, Placeholder, Suite
from tests.support.world.realm import PASSWORD

_PATIENCE: Final = 240.0
_PAUSE: Final = 0.5
_ENDS: Final = ("FINISHED", "INTERRUPTED")
_END_OF_SIGN_OUT: Final = "ExpectSuccessfulLogoutPage"


@dataclass(frozen=True, slots=True)
class Run:
    """A suite that is up, an installation that serves, and a browser.

    Attributes:
        modules: the only modules to run; empty for all.
        logs: the folder that keeps the suite's log of each module; None for none.
    """

    suite: Suite
    installed: Installation
    browser: Browser
    modules: Collection[str]
    logs: Path | None


def run_plan(run: Run, plan: Plan) -> Iterator[Result]:
    """Run the modules of `plan`, one after the other."""
    plan_id, modules = run.suite.create_plan(plan.name, plan.variant, run.installed.configure(plan))
    for module in modules:
        if run.modules and module.name not in run.modules:
            continue
        allows = module.name not in plan.refused
        with person(run.browser, run.installed.issuer, run.installed.email, PASSWORD, allows=allows) as somebody:
            test, result, shown = _run_module(run.suite, plan_id, module, somebody)
        log = run.suite.read_log(test)
        if run.logs is not None:
            (run.logs / f"{plan.name}-{module.name}.json").write_text(json.dumps(log, indent=1))
        yield _report(Result(plan.title, module.name, result, tuple(find_findings(log)), shown))


def _report(result: Result) -> Result:
    sys.stderr.write(f"{result.result:12} {result.plan}: {result.module}\n")
    for finding in result.findings:
        sys.stderr.write(f"{'':12} {finding.result} {finding.condition}: {finding.message}\n")
    return result


def _run_module(suite: Suite, plan_id: str, module: Module, somebody: Person) -> tuple[str, str, tuple[str, ...]]:
    """Run a module to its end; return the id of the run, the result, and the headings of the pages handed in."""
    test = suite.create_test(plan_id, module)
    shown: list[str] = []
    pages: dict[Placeholder, Shown] = {}
    deadline = time.monotonic() + _PATIENCE
    status, result = suite.read_state(test)
    while status not in _ENDS and time.monotonic() < deadline:
        if status == "CONFIGURED":
            suite.start(test)
        elif status == "WAITING":
            shown += _hand_in(suite, test, pages)
            try:
                pages = _serve_browser(suite, test, somebody)
            except BrowserError as broken:
                sys.stderr.write(f"{'':12} the browser: {broken.message}\n")
                break
        time.sleep(_PAUSE)
        status, result = suite.read_state(test)
    if status not in _ENDS:
        suite.cancel(test)
    return test, result or "INTERRUPTED", tuple(shown)


def _serve_browser(suite: Suite, test: str, somebody: Person) -> dict[Placeholder, Shown]:
    """Do what the module wants the browser to do; return the pages for the screenshots that it asked for."""
    found = {}
    for errand in suite.list_errands(test):
        awaited = suite.list_placeholders(test)
        suite.tick_off(test, errand)
        pages = somebody.run(errand)
        for placeholder in awaited if pages else ():
            # What is asked for is the server's first page; of a sign-out that succeeds, its last one.
            found[placeholder] = pages[-1 if placeholder.condition == _END_OF_SIGN_OUT else 0]
    return found


def _hand_in(suite: Suite, test: str, pages: Mapping[Placeholder, Shown]) -> Iterator[str]:
    """Hand in the screenshots that the module still waits for, after what followed them; yield their headings."""
    for placeholder in suite.list_placeholders(test) if pages else ():
        if placeholder in pages:
            suite.hand_in(test, placeholder, pages[placeholder].screenshot)
            yield pages[placeholder].heading
