"""The lock: what a checkout is set up with, and that nobody can put something else in its place."""

import re
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
LOCK: Final = (ROOT / "requirements.lock").read_text(encoding="utf-8")
_PIN: Final = re.compile(r"^[\w.-]+(?:\[[\w,-]+\])?==[\w.]+(?: ; [^\\]+)?$")


def test_every_package_is_pinned_and_has_its_hashes() -> None:
    """ASVS 15.2.4. Installing demands them, also of whatever a package builds on."""
    entries = LOCK.replace(" \\\n", "\n").split("\n")
    pins = [number for number, line in enumerate(entries) if line and not line.startswith("    --hash=sha256:")]
    assert [entries[number] for number in pins if not _PIN.match(entries[number].strip())] == []
    assert [entries[number] for number in pins if not entries[number + 1].startswith("    --hash=sha256:")] == []
    assert "--require-hashes" in (ROOT / "Makefile").read_text(encoding="utf-8")


def test_source_and_wheels_of_other_machines_are_in_the_lock() -> None:
    """A lock of the files that one machine took would install on that kind of machine alone."""
    (entry,) = re.findall(r"^cffi==.*\n(?:    --hash=.*\n)+", LOCK, re.MULTILINE)
    assert entry.count("--hash=") > 20
