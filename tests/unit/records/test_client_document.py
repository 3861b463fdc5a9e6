"""What the document of a client may say, where it may be, and how long it is remembered."""

from datetime import timedelta
from typing import Any

import pytest

from authserver.records.client_document import (
    DESCRIBED,
    LONGEST_AGE,
    SHORTEST_AGE,
    USUAL_AGE,
    ClientDocument,
    choose_age,
    find_url_fault,
    name_client,
    read_document,
)
from authserver.records.client_metadata import SETTABLE
from authserver.records.client_settings import ATTRIBUTES
from tests.support.world.client_documents import DOCUMENTS, URLS, DocumentVector, write_document

URL = "https://app.example/client.json"
DECIDED_BY_OPERATORS: set[str] = set()
"""Attributes that have a name in client metadata, and that a client cannot set for itself all the same."""


@pytest.mark.parametrize("vector", DOCUMENTS, ids=lambda vector: vector.name)
def test_each_document_has_its_answer(vector: DocumentVector) -> None:
    """Draft -01 §4.1, RFC 7591 §2. What the wire alone decides (length, encoding) is seen over HTTP."""
    reply = write_document(vector, URL)
    headers = {name.lower(): value for name, value in reply.headers.items()}
    found = read_document(URL, reply.status, headers, reply.body)
    if vector.is_accepted or vector.is_about_the_wire:
        assert isinstance(found, ClientDocument), found
        assert found.settings.keys() == DESCRIBED - {"offline_access"}
    else:
        assert isinstance(found, str)
        assert vector.answer in found


@pytest.mark.parametrize(("url", "fault"), URLS)
def test_each_url_that_cannot_be_a_client_has_its_fault(url: str, fault: str | None) -> None:
    """Draft -01 §3."""
    found = find_url_fault(url)
    assert found is not None
    assert fault is None or fault in found


@pytest.mark.parametrize("url", [URL, "https://app.example:8443/a", "https://xn--pp-via.example/oauth/client/"])
def test_a_url_with_a_path_can_be_a_client(url: str) -> None:
    assert find_url_fault(url) is None


@pytest.mark.parametrize(
    ("headers", "age"),
    [
        ({}, USUAL_AGE),
        ({"cache-control": "public"}, USUAL_AGE),
        ({"cache-control": "max-age=120"}, timedelta(seconds=120)),
        ({"cache-control": 'public, Max-Age="600"'}, timedelta(seconds=600)),
        ({"cache-control": "max-age=600", "age": "300"}, timedelta(seconds=300)),
        ({"cache-control": "max-age=600", "age": "-7"}, timedelta(seconds=600)),
        ({"cache-control": "max-age=600", "age": "9" * 30}, timedelta(seconds=600)),
        ({"cache-control": "max-age=0"}, SHORTEST_AGE),
        ({"cache-control": "no-store"}, SHORTEST_AGE),
        ({"cache-control": "no-cache, max-age=600"}, SHORTEST_AGE),
        ({"cache-control": "max-age=999999999"}, LONGEST_AGE),
        ({"cache-control": "max-age=" + "9" * 40}, USUAL_AGE),
        ({"cache-control": "max-age=soon"}, USUAL_AGE),
        ({"cache-control": "max-age=-1"}, USUAL_AGE),
    ],
)
def test_a_document_is_remembered_as_its_server_says_within_bounds(headers: dict[str, Any], age: timedelta) -> None:
    """Draft -01 §4.4, RFC 9111 §5.2.2."""
    assert choose_age(headers) == age


def test_only_what_a_client_may_say_of_itself_is_read_from_metadata() -> None:
    """A new attribute with a name in metadata is decided on here before any client can set it."""
    named = {name for name, attribute in ATTRIBUTES.items() if attribute.metadata is not None}
    assert named == SETTABLE | DECIDED_BY_OPERATORS


def test_a_client_by_url_is_named_with_its_host() -> None:
    assert name_client("abc", "Notes") == "Notes"
    assert name_client(URL, "Notes") == "Notes (app.example)"
    assert name_client(URL, "app.example") == "app.example"
