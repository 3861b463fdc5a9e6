"""The corpus of attack tokens at the server itself: account API, userinfo and introspection refuse it, too."""

import dataclasses
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from authserver.clients.register_client import ClientWish, RegisteredClient, register_client
from authserver.keyring.live import LiveKeyring
from authserver.protocol.client_metadata import ClientKind
from authserver.realm import Realm
from authserver.web.application import DoorSettings, create_application
from tests.support.clock import ManualClock
from tests.support.databases import SqliteDatabases
from tests.support.entropy import SeededEntropy
from tests.support.loopback import LoopbackServer, running_server
from tests.support.realm import build_realm
from tests.vectors.attack_tokens import all_attacks
from tests.vectors.workshop import Attack, Workshop

ATTACKS = [attack for attack in all_attacks() if attack.code is not None]


@pytest.fixture
def listener() -> Iterator[LoopbackServer]:
    """Where an attacker would see that a URL in his token was asked."""
    with running_server() as listener:
        yield listener


@pytest.fixture
def workshop(listener: LoopbackServer) -> Workshop:
    return Workshop(listener.url)


@pytest.fixture
def realm(
    sqlite_databases: SqliteDatabases, clock: ManualClock, entropy: SeededEntropy, workshop: Workshop
) -> Iterator[Realm]:
    """An installation whose keys are those of the workshop; of its users there is none."""
    realm = build_realm(sqlite_databases.migrated(), clock, entropy)
    keys = {pair.kid: pair.verification_key for pair in workshop.issuer_pairs}
    keyring = dataclasses.replace(realm.keyring.current, _verification_keys=keys)
    yield dataclasses.replace(realm, keyring=LiveKeyring(lambda: keyring, clock))
    realm.database.dispose()


@pytest.fixture
def client(realm: Realm) -> FlaskClient:
    return create_application(realm, DoorSettings("1000/minute", "memory")).test_client()


def try_all(client: FlaskClient, path: str, workshop: Workshop) -> Iterator[tuple[Attack, TestResponse]]:
    """Each attack token that an HTTP header can carry, and what the door answers to it."""
    for attack in ATTACKS:
        token = attack.forge(workshop)
        if isinstance(token, str) and token.isascii() and token.isprintable() and token.strip():
            yield attack, client.get(path, headers={"Authorization": f"Bearer {token}"})


def test_the_account_api_refuses_every_attack_token(
    client: FlaskClient, workshop: Workshop, listener: LoopbackServer
) -> None:
    """ASVS 9.1.1, 9.1.2, 9.1.3: the same codes as at a resource server, or that the token is not for this server."""
    tried = 0
    for attack, response in try_all(client, "/api/account", workshop):
        assert response.status_code == 401, attack.name
        assert response.json is not None
        # Audiences are the other way round here: what is meant for this server alone is sound, but of no session.
        codes = {attack.code, "wrong_audience", *(["session_revoked"] if attack.code == "wrong_audience" else [])}
        assert response.json["code"] in codes, attack.name
        tried += 1
    assert tried > 400
    assert listener.hits == 0


def test_userinfo_answers_every_attack_token_alike(
    client: FlaskClient, workshop: Workshop, listener: LoopbackServer
) -> None:
    """ASVS 9.1.1, 9.1.2, 9.1.3: whoever tries learns nothing from the answer."""
    tried = 0
    for attack, response in try_all(client, "/oauth/userinfo", workshop):
        assert response.status_code == 401, attack.name
        assert response.json == {
            "error": "invalid_token",
            "error_description": "The access token is not valid.",
            "soft_logout": False,
        }, attack.name
        tried += 1
    assert tried > 400
    assert listener.hits == 0


def test_introspection_calls_every_attack_token_inactive(
    client: FlaskClient, realm: Realm, workshop: Workshop, listener: LoopbackServer
) -> None:
    """RFC 7662 §2.2: `active: false` and nothing else."""
    registered = register_client(realm, ClientWish("API", ClientKind.RESOURCE_SERVER))
    assert isinstance(registered, RegisteredClient)
    assert registered.secret is not None
    who = {"client_id": registered.client.client_id, "client_secret": registered.secret.reveal()}
    for attack in ATTACKS:
        token = attack.forge(workshop)
        if not isinstance(token, str) or not token or len(token) > 60_000:
            continue
        try:
            response = client.post("/oauth/introspect", data={**who, "token": token})
        except UnicodeEncodeError:
            continue  # no form can carry a lone surrogate
        # What no form parameter may hold is refused as such; nothing is ever an error of the server.
        refused = response.status_code == 400 and "\0" in token
        assert refused or (response.status_code, response.json) == (200, {"active": False}), attack.name
    assert listener.hits == 0
