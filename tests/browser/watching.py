"""A person's window, with somebody who notes what a page must not do."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urlsplit

from axe_playwright_python.base import AXE_FILE_PATH
from playwright.sync_api import Browser, Page, ViewportSize

TAGS: Final = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
_DESK: Final = 600
_LEFT: Final = "net::ERR_ABORTED"
"""What becomes of a logo that is still on its way when the person leaves its page."""
_AXE: Final = AXE_FILE_PATH.read_text(encoding="utf-8")
# Only what is wrong leaves the browser: the rest of the answer is long, and takes a fifth of the time of asking.
_ASK: Final = f"axe.run({{runOnly: {json.dumps(TAGS)}, resultTypes: ['violations']}}).then(found => found.violations)"


class Window:
    """One tab of a browser. `complaints` is what was noted while it was open."""

    def __init__(self, page: Page, url: str) -> None:
        """Watch `page`, which is to stay at the server of `url`."""
        self.page = page
        self.complaints: list[str] = []
        self._host = urlsplit(url).netloc
        page.on("console", lambda message: self._note(message.type in {"error", "warning"}, message.text))
        page.on("pageerror", lambda error: self._note(wrong=True, what=str(error)))
        page.on("requestfailed", lambda one: self._note(one.failure != _LEFT, f"{one.url} failed: {one.failure}"))
        page.on("request", lambda request: self._note(urlsplit(request.url).netloc != self._host, request.url))

    def look(self, *, width: int, dark: bool) -> None:
        """From a phone or a desk, in light or in the dark; the page stays the same one."""
        self.page.set_viewport_size(_measure(width))
        self.page.emulate_media(color_scheme="dark" if dark else "light")

    def bring_axe(self) -> None:
        """Have axe-core ready on every page from the next one on; handed over once, and not with each page."""
        self.page.add_init_script(_AXE)

    def list_violations(self) -> list[str]:
        """What axe-core finds wrong with the page as it is."""
        violations: list[dict[str, Any]] = self.page.evaluate(_ASK)
        return [
            f"{violation['id']}: {node['html']} ({node.get('failureSummary')})"
            for violation in violations
            for node in violation["nodes"]
        ]

    def find_overhang(self) -> int:
        """How many pixels of the page stick out to the right of the window."""
        width: int = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        return width

    def _note(self, wrong: bool, what: str) -> None:  # noqa: FBT001 - the one question
        if wrong:
            self.complaints.append(what)


def _measure(width: int) -> ViewportSize:
    return {"width": width, "height": 844 if width < _DESK else 800}


@contextmanager
def looking(
    browser: Browser, url: str, *, width: int = 390, dark: bool = False, script: bool = True, language: str = "en"
) -> Iterator[Window]:
    """A window of its own, with no cookies."""
    context = browser.new_context(
        viewport=_measure(width),
        color_scheme="dark" if dark else "light",
        java_script_enabled=script,
        locale=language,
        reduced_motion="reduce",
    )
    try:
        yield Window(context.new_page(), url)
    finally:
        context.close()
