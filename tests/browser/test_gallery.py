"""Every page, in every state: nobody is kept out by how it is made, and it keeps to itself.

On a phone and on a desk, in light and in dark (WCAG 2.2 AA; ASVS 3.4.3, RFC 9700 §4.2.4).
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.gallery import MOVING, PICTURES, hanging
from tests.browser.picture import Picture
from tests.browser.watching import Window, looking
from tests.support.world.databases import SqliteDatabases

SCREENSHOTS = Path(__file__).parents[2] / "docs" / "screenshots"
SIGHTS = ((390, False), (390, True), (1280, False), (1280, True))
SHOWN = (
    ("sign-in", 1280, False),
    ("sign-in", 390, True),
    ("choose-account", 390, False),
    ("sign-up", 390, False),
    ("sign-up-refused", 390, True),
    ("consent", 390, False),
    ("device-brought", 390, True),
    ("device-confirm", 390, False),
    ("sign-in", 1280, True),
    ("reset", 390, False),
    ("not-me", 390, False),
    ("told", 390, True),
    ("account-device-ended", 1280, False),
    ("account-others", 390, False),
    ("account-password", 390, False),
    ("account-password-changed", 390, True),
    ("account-one-app", 390, False),
    ("account-events", 390, True),
)
"""What docs/screenshots has: picture, width, whether in the dark."""
LARGEST_SCREENSHOT = 60_000


@pytest.fixture(scope="module")
def gallery(sqlite_databases: SqliteDatabases) -> Iterator[str]:
    """The URL below which each picture hangs."""
    with hanging(sqlite_databases.migrated()) as url:
        yield url


@pytest.fixture(scope="module")
def window(browser: Browser, gallery: str) -> Iterator[Window]:
    """One for all pictures: opening another takes longer than looking. Where a script would go on, it stays."""
    with looking(browser, gallery) as window:
        window.bring_axe()
        window.page.route("**/form-post.js", lambda route: route.fulfill(body="", content_type="text/javascript"))
        yield window


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_a_page_is_for_everybody(window: Window, gallery: str, picture: Picture) -> None:
    """axe-core finds nothing, nothing sticks out, nothing is loaded from elsewhere, nothing complains.

    320 pixels are 1280 at 400 % (WCAG 2.2, 1.4.10).
    """
    window.complaints.clear()
    window.page.goto(f"{gallery}/{picture.name}")
    for width, dark in SIGHTS:
        window.look(width=width, dark=dark)
        assert window.list_violations() == [], (width, dark)
        assert window.find_overhang() == 0, (width, dark)
    window.look(width=320, dark=False)
    assert window.find_overhang() == 0
    assert window.complaints == []


def test_an_answer_by_form_goes_on_by_itself_and_otherwise_by_its_button(browser: Browser, gallery: str) -> None:
    """OAuth 2.0 Form Post Response Mode; the script is a file of ours, so that no inline script is allowed."""
    with looking(browser, gallery) as window:
        window.page.goto(f"{gallery}/{MOVING.name}")
        window.page.wait_for_url("**/signed-out")
        assert window.complaints == []
    with looking(browser, gallery, script=False) as window:
        window.page.goto(f"{gallery}/{MOVING.name}")
        window.page.get_by_role("button").click()
        window.page.wait_for_url("**/signed-out")


def test_a_script_that_got_into_a_page_does_not_run(browser: Browser, gallery: str) -> None:
    """ASVS 3.4.3: the content security policy holds in a real browser."""
    with looking(browser, gallery) as window:
        window.page.goto(f"{gallery}/sign-in")
        window.page.evaluate(
            "document.body.append(Object.assign(document.createElement('script'), {textContent: 'document.title = 1'}))"
        )
        assert window.page.title() != "1"
        assert any("Content Security Policy" in complaint for complaint in window.complaints)


def test_no_other_page_can_frame_one(browser: Browser, gallery: str) -> None:
    """ASVS 3.4.6: clickjacking."""
    with looking(browser, gallery) as window:
        window.page.route(
            "**/framing",
            lambda route: route.fulfill(body=f"<iframe src='{gallery}/consent'>", content_type="text/html"),
        )
        window.page.goto(f"{gallery}/framing")
        window.page.wait_for_timeout(100)
        assert any("frame-ancestors" in complaint for complaint in window.complaints)
        assert window.page.frame_locator("iframe").get_by_role("button", name="Allow").count() == 0


def test_the_screenshots_show_what_there_is(
    window: Window, gallery: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """`--screenshots` writes them into docs; otherwise they are made, and only their names are compared."""
    folder = SCREENSHOTS if request.config.getoption("--screenshots") else tmp_path
    folder.mkdir(exist_ok=True)
    for name, width, dark in SHOWN:
        window.page.goto(f"{gallery}/{name}")
        window.look(width=width, dark=dark)
        path = folder / f"{name}-{width}-{'dark' if dark else 'light'}.png"
        window.page.screenshot(path=path, full_page=True)
    kept = {path.name: path.stat().st_size for path in SCREENSHOTS.glob("*.png")}
    assert kept.keys() == {path.name for path in folder.glob("*.png")}
    assert max(kept.values()) < LARGEST_SCREENSHOT
