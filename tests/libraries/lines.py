"""The lines of `docs/libraries.md`, for the tests that run them."""

import re

from tests.support.world.server import ROOT

PAGE = (ROOT / "docs" / "libraries.md").read_text(encoding="utf-8")


def read_lines(heading: str, language: str = "python") -> str:
    """The code below this heading."""
    section = re.split(r"^#+ ", PAGE.partition(f"## {heading}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]
    found = re.search(rf"^```{language}\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    assert found is not None, heading
    return found[1]
