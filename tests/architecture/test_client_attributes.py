"""An attribute of a client is declared once; the table, the commands and the documents follow the declaration."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from authserver.cli.client_options import option_of
from authserver.cli.clients import clients
from authserver.records.client_settings import ATTRIBUTES
from authserver.storage.schema import Client

ROOT = Path(__file__).parents[2]
KEPT_BY_THE_SERVER = {
    "client_id",
    "kind",
    "secret_digest",
    "former_secret_digest",
    "former_secret_expires_at",
    "pairwise_salt",
    "family_version",
    "created_at",
    "disabled_at",
    "provenance",
    "management_digest",
    "scope_limit",
    "described_at",
}
"""Columns that no operator sets."""

HANDLERS = [
    ROOT / "authserver" / path
    for path in (
        *("records/client.py", "records/client_settings.py", "storage/clients.py"),
        *("clients/client_registration.py", "clients/register_client.py"),
        *("cli/clients.py", "cli/client_options.py"),
    )
]
"""The files through which each attribute goes."""

NAMED_AGAIN = {
    ("records/client.py", "consent"),  # no longer None in a registered client
    ("records/client.py", "first_party"),  # of `ClientOrigins`
    ("records/client.py", "origins"),  # of `ClientOrigins`
    ("storage/clients.py", "pairwise"),  # implied by the salt
    ("clients/register_client.py", "name"),  # a client is born with nothing but its name
    ("clients/register_client.py", "first_party"),  # in the audit record
    ("clients/register_client.py", "scope"),  # in the audit record
    ("cli/clients.py", "name"),  # printed first
    ("cli/clients.py", "audience"),  # what to paste into an API
}
"""Where an attribute is named beside its declaration, and why that is no second declaration."""


def names(source: str) -> Iterator[str]:
    """What a module declares or lists: annotated fields, keyword arguments, keys."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.AnnAssign(target=ast.Name(id=name)) | ast.keyword(arg=str(name)):
                yield name
            case ast.Dict(keys=keys):
                yield from (key.value for key in keys if isinstance(key, ast.Constant) and isinstance(key.value, str))
            case _:
                pass


def test_no_attribute_is_listed_a_second_time() -> None:
    named = {
        (str(path.relative_to(ROOT / "authserver")), name)
        for path in HANDLERS
        for name in set(names(path.read_text(encoding="utf-8"))) & ATTRIBUTES.keys()
        if path.name != "client_settings.py"
    }
    assert named == NAMED_AGAIN


def test_each_attribute_is_declared_in_the_form_of_its_neighbours() -> None:
    """Without a declaration it would be a field that nothing reads."""
    source = (ROOT / "authserver" / "records" / "client_settings.py").read_text(encoding="utf-8")
    (settings,) = (node for node in ast.parse(source).body if isinstance(node, ast.ClassDef))
    declared = [node.target.id for node in settings.body if isinstance(node, ast.AnnAssign) and node.target.id != "_"]  # type: ignore[union-attr]  # names only
    assert declared == list(ATTRIBUTES)


def test_each_attribute_has_its_column() -> None:
    """The columns are written out, because migrations are; none is missing and none is left over."""
    attributes = {name for name, attribute in ATTRIBUTES.items() if attribute.has_column}
    assert {column.name for column in Client.__table__.columns} == attributes | KEPT_BY_THE_SERVER


@pytest.mark.parametrize("command", ["create", "update"])
def test_each_attribute_has_its_option(command: str) -> None:
    options = {param.name: param.opts for param in clients.commands[command].params}
    for name in ATTRIBUTES:
        expected = ["name"] if (command, name) == ("create", "name") else [option_of(name)]
        assert options[name] == expected


def test_options_and_metadata_names_are_unique() -> None:
    options = [option_of(name) for name in ATTRIBUTES]
    metadata = [attribute.metadata for attribute in ATTRIBUTES.values() if attribute.metadata is not None]
    assert len(set(options)) == len(options)
    assert len(set(metadata)) == len(metadata)


def test_the_document_lists_the_attributes_as_they_are_declared() -> None:
    text = (ROOT / "docs" / "clients.md").read_text(encoding="utf-8")
    section = re.search(r"^## All options\n(.*?)^## ", text, re.MULTILINE | re.DOTALL)
    assert section is not None
    written = [line for line in section[1].splitlines() if line.startswith("| `")]
    assert written == [
        f"| `{option_of(name)}` | `{name}` | {f'`{attribute.metadata}`' if attribute.metadata else '-'} |"
        f" {attribute.meaning} |"
        for name, attribute in ATTRIBUTES.items()
    ]
