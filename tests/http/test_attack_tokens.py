"""The corpus of attack tokens at the server itself: account API, userinfo and introspection refuse it, too."""

import dataclasses
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from authserver.clients.register_client import ClientRegistration, RegisteredClient, register_client
from authserver.keyring.live import LiveKeyring
from authserver.protocol.client_metadata import ClientKind
from authserver.realm import Realm
from authserver.web.application import DoorSettings, create_application
from tests.support.wire.connections import watched_connections
from tests.support.world.clock import ManualClock
from tests.support.world.databases import SqliteDatabases
from tests.support.world.entropy import SeededEntropy
from tests.support.world.realm import build_realm
from tests.support.world.vectors import Vector, read_setting, read_vectors

ATTACKS = [vector for vector in read_vectors() if vector.code is not None]


@pytest.fixture
def reached() -> Iterator[list[str]]:
    """Whom the server asks while the attacks go on."""
    with watched_connections() as reached:
        yield reached


@pytest.fixture
def realm(sqlite_databases: SqliteDatabases, clock: ManualClock, entropy: SeededEntropy) -> Iterator[Realm]:
    """An installation whose keys are those of the vectors; of its users there is none."""
    realm = build_realm(sqlite_databases.migrated(), clock, entropy)
    keyring = dataclasses.replace(realm.keyring.current, _verification_keys=read_setting().keys)
    yield dataclasses.replace(realm, keyring=LiveKeyring(lambda: keyring, clock))
    realm.database.dispose()


@pytest.fixture
def client(realm: Realm) -> FlaskClient:
    return create_application(realm, DoorSettings("1000/minute", "memory")).test_client()


def try_all(client: FlaskClient, path: str) -> Iterator[tuple[Vector, TestResponse]]:
    """Each attack token that an HTTP header can carry, and what the door answers to it."""
    for attack in ATTACKS:
        token = attack.token
        if is_for_header(token) and "," not in token:
            yield attack, client.get(path, headers={"Authorization": f"Bearer {token}"})


def is_for_header(token: object) -> bool:
    return isinstance(token, str) and token.isascii() and token.isprintable() and bool(token.strip())


@pytest.mark.parametrize("path", ["/api/account", "/oauth/userinfo"])
def test_an_attack_token_with_a_comma_is_two_credentials(client: FlaskClient, path: str) -> None:
    """RFC 6750 §3.1: a request with more than one is malformed, whatever they are worth."""
    with_comma = [attack.token for attack in ATTACKS if is_for_header(attack.token) and "," in attack.token]
    assert len(with_comma) >= 3
    for token in with_comma:
        assert client.get(path, headers={"Authorization": f"Bearer {token}"}).status_code == 400


def test_the_account_api_refuses_every_attack_token(client: FlaskClient, reached: list[str]) -> None:
    """ASVS 9.1.1, 9.1.2, 9.1.3: the same codes as at a resource server, or that the token is not for this server."""
    tried = 0
    for attack, response in try_all(client, "/api/account"):
        assert response.status_code == 401, attack.name
        assert response.json is not None
        # Audiences are the other way round here: what is meant for this server alone is sound, but of no session.
        codes = {attack.code, "wrong_audience", *(["session_revoked"] if attack.code == "wrong_audience" else [])}
        assert response.json["code"] in codes, attack.name
        tried += 1
    assert tried > 400
    assert reached == []


def test_userinfo_answers_every_attack_token_alike(client: FlaskClient, reached: list[str]) -> None:
    """ASVS 9.1.1, 9.1.2, 9.1.3: whoever tries learns nothing from the answer."""
    tried = 0
    for attack, response in try_all(client, "/oauth/userinfo"):
        assert response.status_code == 401, attack.name
        assert response.json == {
            "error": "invalid_token",
            "error_description": "The access token is not valid.",
            "soft_logout": False,
        }, attack.name
        tried += 1
    assert tried > 400
    assert reached == []


def test_introspection_calls_every_attack_token_inactive(client: FlaskClient, realm: Realm, reached: list[str]) -> None:
    """RFC 7662 §2.2: `active: false` and nothing else."""
    registered = register_client(realm, ClientRegistration("API", ClientKind.RESOURCE_SERVER))
    assert isinstance(registered, RegisteredClient)
    assert registered.secret is not None
    who = {"client_id": registered.client.client_id, "client_secret": registered.secret.reveal()}
    for attack in ATTACKS:
        token = attack.token
        if not isinstance(token, str) or not token or len(token) > 60_000:
            continue
        try:
            response = client.post("/oauth/introspect", data={**who, "token": token})
        except UnicodeEncodeError:
            continue  # no form can carry a lone surrogate
        # What no form parameter may hold is refused as such; nothing is ever an error of the server.
        refused = response.status_code == 400 and "\0" in token
        assert refused or (response.status_code, response.json) == (200, {"active": False}), attack.name
    assert reached == []
