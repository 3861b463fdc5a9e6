"""One Chromium for all tests of a process. `make test` installs it; a missing one fails the tests, and skips none."""

import shutil
from collections.abc import Iterator
from typing import Final

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.support.world.databases import SqliteDatabases

# Around the pages, each window would draw the suggestions below its address bar: twice, and unseen.
_UNSEEN: Final = ("WebUIOmniboxPopup", "WebUIOmniboxAimPopup")
# Chromium heeds its last list alone. So this is Playwright's, too.
_OFF_FOR_PLAYWRIGHT: Final = (
    "AimEnabled",
    "AvoidCorsURLLoaderRestartOnRedirect",
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsFirstBalancedModeAutoEnable",
    "HttpsUpgrades",
    "LensOverlay",
    "MediaRouter",
    "NetworkTimeServiceQuerying",
    "OptimizationHints",
    "PaintHolding",
    "PreconnectToSearch",
    "ThirdPartyStoragePartitioning",
)
_ARGUMENTS: Final = (
    f"--disable-features={','.join(_UNSEEN + _OFF_FOR_PLAYWRIGHT)}",
    # A page is left after a few looks: to optimise the script that looks at it takes longer than it saves.
    "--js-flags=--no-opt,--no-maglev",
)


@pytest.fixture(scope="session")
def sqlite_databases(tmp_path_factory: pytest.TempPathFactory) -> SqliteDatabases:
    """Makes databases that outlive a test: a server is shared by a module."""
    return SqliteDatabases(tmp_path_factory.mktemp("browsed"))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, without a window."""
    path = shutil.which("chromium")
    assert path is not None, "there is no chromium; as root: apt-get install chromium (make browser)"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_ARGUMENTS)
        yield browser
        browser.close()
