"""Each attribute of a client is kept as it is given, changed alone, and checked, on both databases."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from authserver.clients.client_registration import ClientRegistration, apply_changes
from authserver.clients.client_standing import disable_client
from authserver.clients.register_client import RegisteredClient, register_client, update_client
from authserver.protocol.client_metadata import AuthMethod, ClientKind, ConsentRule
from authserver.realm import Realm
from authserver.realm.outcomes import Invalid
from authserver.records.client import Client
from authserver.records.client_attribute import (
    Address,
    CalledAddress,
    Choice,
    ClaimTable,
    Form,
    KeySet,
    Length,
    Line,
    Name,
    ScopeTable,
    ScopeWords,
    Switch,
    Words,
)
from authserver.records.client_settings import ATTRIBUTES
from authserver.storage import clients
from tests.support.people.machine import make_client_pair
from tests.support.people.person import BY
from tests.support.world.tokens import jwks

SECOND = timedelta(seconds=1)

ANOTHER: dict[type[Form], Callable[[Any], Any]] = {
    Line: lambda _: "Another name",
    Switch: lambda present: not present,
    Words: lambda _: ("https://a.example", "https://b.example"),
    ScopeWords: lambda _: ("openid", "albums:read"),
    Choice: lambda present: (
        AuthMethod.PRIVATE_KEY_JWT if present is None else next(one for one in type(present) if one is not present)
    ),
    Name: lambda _: "ES256",
    ClaimTable: lambda _: {"groups": "roles"},
    Length: lambda present: present + SECOND,
    Address: lambda _: "https://a.example/page",
    CalledAddress: lambda _: "https://a.example/keys",
    KeySet: lambda _: jwks(make_client_pair("k", "ES256")).decode(),
    ScopeTable: lambda _: {"read": {"en": "Read", "de": "Lesen"}},
}
"""Form → a good value that is not the present one."""

WRONG: dict[type[Form], Any] = {
    Line: "two\nlines",
    Words: ("*",),
    ScopeWords: ('"',),
    Name: "HS256",
    ClaimTable: {"sub": "roles"},
    Length: timedelta(days=1000),
    Address: "javascript:x",
    CalledAddress: "https://169.254.169.254/keys",
    KeySet: "{}",
    ScopeTable: {"read": {"de": "Lesen"}},
}
"""Form → a value that no attribute of it may have."""

ALONG: dict[str, tuple[str, ...]] = {
    "auth_method": ("jwks",),
    "jwks": ("auth_method",),
    "jwks_uri": ("auth_method",),
}
"""Attributes that can only be changed together with others: a client with keys authenticates by them."""


@pytest.fixture
def client(realm: Realm) -> Client:
    """A client from which each attribute can be changed alone: a disabled one."""
    registration = ClientRegistration(
        "App",
        ClientKind.CONFIDENTIAL,
        consent=ConsentRule.ALWAYS,
        access_token_lifetime=100 * SECOND,
        refresh_idle_lifetime=1000 * SECOND,
        refresh_absolute_lifetime=2000 * SECOND,
        retry_window=50 * SECOND,
        late_retry_window=50 * SECOND,
    )
    registered = register_client(realm, registration)
    assert isinstance(registered, RegisteredClient)
    disable_client(realm, registered.client.client_id, BY)
    disabled = _load(realm, registered.client.client_id)
    assert disabled is not None
    return disabled


def _load(realm: Realm, client_id: str) -> Client | None:
    with realm.database.read() as tx:
        return clients.find(tx, client_id)


def _another(name: str, present: Any) -> Any:  # noqa: ANN401 - as its form says
    """A good value that is not the present one."""
    return ANOTHER[type(ATTRIBUTES[name].form)](present)


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_an_attribute_is_kept_and_changes_nothing_else(realm: Realm, client: Client, name: str) -> None:
    changes = {one: _another(one, client.of(one)) for one in (name, *ALONG.get(name, ()))}
    changed = update_client(realm, client.client_id, changes)
    assert isinstance(changed, Client), changed
    assert changed == _load(realm, client.client_id)
    assert {one: changed.of(one) for one in ATTRIBUTES} == {one: client.of(one) for one in ATTRIBUTES} | changes


def test_all_attributes_are_kept_at_registration(realm: Realm, client: Client) -> None:
    """All but two: a first-party client cannot be pairwise, and one with a `jwks` has no `jwks_uri`."""
    but = {"pairwise", "jwks_uri"}
    registration = apply_changes(
        client, {name: _another(name, client.of(name)) for name in ATTRIBUTES if name not in but}
    )
    registered = register_client(realm, replace(registration, client_id="another"))
    assert isinstance(registered, RegisteredClient), registered
    assert registered.client == _load(realm, "another")
    assert all(registered.client.of(name) == registration.of(name) for name in ATTRIBUTES)


@pytest.mark.parametrize("name", [name for name, attribute in ATTRIBUTES.items() if type(attribute.form) in WRONG])
def test_an_impossible_value_is_refused_by_its_name(realm: Realm, client: Client, name: str) -> None:
    attribute = ATTRIBUTES[name]
    outcome = update_client(realm, client.client_id, {name: WRONG[type(attribute.form)]})
    assert isinstance(outcome, Invalid)
    assert outcome.errors[0].field == (attribute.each or name if isinstance(attribute.form, Words) else name)
    assert _load(realm, client.client_id) == client


@pytest.mark.parametrize("changes", [{"kind": ClientKind.NATIVE}, {"client_id": "b"}, {"secret_digest": b""}])
def test_what_is_no_attribute_cannot_be_changed(realm: Realm, client: Client, changes: Mapping[str, object]) -> None:
    with pytest.raises(ValueError, match="not attributes of a client"):
        update_client(realm, client.client_id, changes)
    assert _load(realm, client.client_id) == client
