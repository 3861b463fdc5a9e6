"""`make television`: the example is connected in a real browser, and ended there."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.watching import Window, looking
from tests.support.world.processes import PATIENCE, free_port

ROOT = Path(__file__).parents[2]
EMAIL = "demo@example.com"
SIGHTS = ((390, False), (390, True), (1280, False))


@pytest.fixture
def television(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """The example as its one command runs it, in a folder of its own."""
    settings = {"PYTHONPATH": str(ROOT), "CHECK_EVERY": "0.5"}
    with subprocess.Popen(
        [sys.executable, "-m", "examples.run_television", "--port", str(free_port())],
        cwd=tmp_path,
        env={**os.environ, **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        yield process
        process.terminate()


def read_until(process: "subprocess.Popen[str]", pattern: str) -> str:
    """What the first line says that has `pattern`."""
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        found = re.search(pattern, line)
        if found:
            return found[1]
    raise AssertionError("".join(said))


def check(window: Window, heading: str) -> None:
    """The page is for everybody, from near and far."""
    assert window.page.inner_text("h1") == heading
    for width, dark in SIGHTS:
        window.look(width=width, dark=dark)
        assert window.list_violations() == []
        assert window.find_overhang() == 0


def test_a_person_connects_the_television_and_ends_it(browser: Browser, television: "subprocess.Popen[str]") -> None:
    """RFC 8628 §3.3: Authlib on one side, Chromium on the other; its session is its own."""
    password = read_until(television, r"password (\S+)\.$")
    link = read_until(television, r"Or open (http\S+),")
    issuer = link.partition("/device")[0]
    with looking(browser, issuer) as window:
        window.bring_axe()
        page = window.page
        page.goto(link)
        page.get_by_label("E\N{NON-BREAKING HYPHEN}mail address").fill(EMAIL)
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Sign in").click()
        check(window, "Is this the code on your device?")
        page.get_by_role("button", name="Continue").click()
        check(window, "Connect Television to your account?")
        page.get_by_role("button", name="Allow", exact=True).click()
        check(window, "Your device is connected")
        assert read_until(television, r"Playing for (.+)\.$")
        page.get_by_role("link", name="See your devices").click()
        device = page.get_by_role("listitem").filter(has_text="Television")
        device.get_by_role("button", name="Sign out").click()
        assert read_until(television, r"^(signed out)")
        assert window.complaints == []
    assert television.wait(PATIENCE) == 1


def test_a_device_is_connected_without_scripts(browser: Browser, television: "subprocess.Popen[str]") -> None:
    """From the address that people type, with a wrong code first; and the television hears a no."""
    password = read_until(television, r"password (\S+)\.$")
    page_url, user_code = re.split(" and type ", read_until(television, r"Open (http\S+ and type \S+)\.$"))
    with looking(browser, page_url.removesuffix("/device"), script=False) as window:
        page = window.page
        page.goto(page_url)
        page.get_by_label("E\N{NON-BREAKING HYPHEN}mail address").fill(EMAIL)
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_label("Code on your device").fill("bbbb bbbb")
        page.get_by_role("button", name="Continue").click()
        assert "This code is not valid" in page.inner_text("main")
        page.get_by_label("Code on your device").fill(user_code.lower().replace("-", " "))
        page.get_by_role("button", name="Continue").click()
        page.get_by_role("button", name="Do not allow").click()
        assert page.inner_text("h1") == "The device is not connected"
    assert read_until(television, r"not connected: (\w+)") == "access_denied"
