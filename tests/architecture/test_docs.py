"""What the documents name exists: files, settings, links, commands, targets of make."""

import os
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import click
import pytest

from authserver.config.settings import PREFIX, Settings
from tests.support.people.shell import load_every_command

ROOT = Path(__file__).parents[2]
DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted(path for path in (ROOT / "examples").rglob("*.md") if "node_modules" not in path.parts),
    ROOT / "keys" / "README.md",
    ROOT / "tests" / "vectors" / "README.md",
]
OF_DJANGO = {"METADATA_URL", "RESOURCE", "VERIFIER"}
COMMAND_LINE = load_every_command()
NOT_SETTINGS = {"CONFIG", "TEST_POSTGRES", *OF_DJANGO}

TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

_FOLDERS = "authserver|tests|docs|examples|benchmarks|migrations|keys"
_PATH = re.compile(rf"(?<![\w./-])(?:{_FOLDERS})/[\w./-]*\w(?:/|\.\w+)|(?<![\w./-])(?:{_FOLDERS})/(?=[`\s])")
_SETTING = re.compile(rf"\b{PREFIX}([A-Z][A-Z_]*)")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_COMMAND = re.compile(r"(?<![\w./'-])(?<!install )authserver((?: [a-z][a-z-]+)+)")
_MAKE = re.compile(r"^`?make ([a-z][a-z-]*)")
_ROW = re.compile(rf"^\| `(?:{PREFIX})?([A-Z_]+)` \| `?(\d+)(?:`| \|| \()", re.MULTILINE)
_EXAMPLE_CHANGE = re.compile(r"^## A change, whole\n.*?(?=^## )", re.MULTILINE | re.DOTALL)
"""It names files that only the change brings (`test_example_change.py`)."""
_FROM_INDEX = re.compile(r"pip install [^`\n]*?(?<![\w./*-])authserver\b|python3 -m pip")
_FENCE = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]+`")


def name(document: Path) -> str:
    return document.relative_to(ROOT).as_posix()


def code(text: str) -> Iterator[str]:
    """What stands in backticks or in a fenced block, each by itself."""
    for block in _FENCE.findall(text):
        yield from block.splitlines()
    yield from _CODE.findall(_FENCE.sub("", text))


def missing_paths(text: str) -> list[str]:
    return [path for path in _PATH.findall(text) if not (ROOT / path).exists()]


def unknown_settings(text: str) -> list[str]:
    known = {field.upper() for field in Settings.model_fields} | NOT_SETTINGS
    return [PREFIX + setting for setting in _SETTING.findall(text) if setting not in known]


def broken_links(text: str, folder: Path) -> list[str]:
    targets = [link.partition("#")[0] for link in _LINK.findall(text) if "://" not in link]
    return [target for target in targets if target and not (folder / target).exists()]


def unknown_commands(text: str) -> list[str]:
    return [
        f"authserver{words}" for part in code(text) for words in _COMMAND.findall(part) if not is_command(words.split())
    ]


def unknown_targets(text: str) -> list[str]:
    return [f"make {word}" for part in code(text) for word in _MAKE.findall(part) if word not in TARGETS]


def is_command(words: list[str]) -> bool:
    """Whether the words name a command; those after it are its arguments."""
    at: click.Command = COMMAND_LINE
    for word in words:
        if not isinstance(at, click.Group):
            return True
        if word not in at.commands:
            return False
        at = at.commands[word]
    return True


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_the_documents_name_what_exists(document: Path) -> None:
    text = _EXAMPLE_CHANGE.sub("", document.read_text(encoding="utf-8"))
    assert [
        *missing_paths(text),
        *unknown_settings(text),
        *broken_links(text, document.parent),
        *unknown_commands(text),
        *unknown_targets(text),
    ] == []


def test_every_setting_is_explained() -> None:
    """docs/configuration.md has a row for each, under the name without the prefix."""
    text = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert [field for field in Settings.model_fields if f"| `{field.upper()}` |" not in text] == []


@pytest.mark.parametrize("document", ["configuration.md", "tokens-and-sessions.md"])
def test_the_defaults_are_those_of_the_settings(document: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """ASVS 7.1.1, 7.1.2: the lifetimes and the session cap are in force as they are written."""
    for variable in os.environ:
        if variable.startswith(PREFIX):
            monkeypatch.delenv(variable)
    settings = Settings()
    rows = dict(_ROW.findall((ROOT / "docs" / document).read_text(encoding="utf-8")))
    assert "REFRESH_ABSOLUTE_LIFETIME" in rows
    for setting, written in rows.items():
        value = getattr(settings, setting.lower())
        in_force = value // timedelta(seconds=1) if isinstance(value, timedelta) else value
        assert (setting, int(written)) == (setting, in_force)


def test_every_decision_is_in_the_index() -> None:
    folder = ROOT / "docs" / "decisions"
    index = (folder / "README.md").read_text(encoding="utf-8")
    assert [path.name for path in sorted(folder.glob("[0-9]*.md")) if f"({path.name})" not in index] == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("see `authserver/web/gone.py`", ["authserver/web/gone.py"]),
        ("in `authserver/gone/`", ["authserver/gone/"]),
        ("`AUTHSERVER_NO_CHECKS=1`", ["AUTHSERVER_NO_CHECKS"]),
        ("[there](gone.md#part)", ["gone.md"]),
        ("run `authserver keys burn KID`", ["authserver keys burn"]),
        ("`make haste`", ["make haste"]),
        ("```\nauthserver destroy\n```", ["authserver destroy"]),
    ],
)
def test_what_does_not_exist_is_found(text: str, found: list[str]) -> None:
    assert [
        *missing_paths(text),
        *unknown_settings(text),
        *broken_links(text, ROOT),
        *unknown_commands(text),
        *unknown_targets(text),
    ] == found


@pytest.mark.parametrize(
    "text",
    [
        "`authserver/clock.py`, `authserver/web/` and `tests/architecture/test_docs.py`",
        "`AUTHSERVER_ISSUER`, `AUTHSERVER_CONFIG`",
        "`make test ARGS=tests/unit`, and make do",
        "[home](README.md), [abroad](https://example.org/x)",
        "`authserver keys rotate`; an authserver that nobody runs",
        "```\n17 3 * * *  authserver keys compromise KID\n```",
    ],
)
def test_what_exists_passes(text: str) -> None:
    assert [
        *missing_paths(text),
        *unknown_settings(text),
        *broken_links(text, ROOT),
        *unknown_commands(text),
        *unknown_targets(text),
    ] == []


def test_the_way_to_install_works_on_a_bare_machine() -> None:
    """No package index has authserver: under its name it could be anybody's. Debian's python3 has no pip."""
    sources = (ROOT / "authserver").rglob("*.py")
    found = {name(file): _FROM_INDEX.findall(file.read_text(encoding="utf-8")) for file in [*DOCUMENTS, *sources]}
    assert {file: ways for file, ways in found.items() if ways} == {}
