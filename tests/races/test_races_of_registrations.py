"""Clients that register and manage themselves, beside each other and beside what they hold."""

import json
import threading
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest

from authserver.clients.registration_tokens import MadeToken, Offer, make_registration_token
from authserver.clients.self_registration import (
    Managed,
    TokenRefused,
    delete_itself,
    register_itself,
    update_itself,
)
from authserver.protocol.client_metadata import ClientKind
from authserver.protocol.secret import Secret
from authserver.realm import Realm
from authserver.realm.client_documents import DocumentPolicy
from authserver.records.client import Client
from authserver.records.provenance import ByDocument
from authserver.storage import clients
from authserver.trusted_time import Trusted
from authserver.upkeep.prune_clients import ClientPruning
from tests.support.faults.racing import Duel, fight, race
from tests.support.people.api import Api
from tests.support.people.authorizing import CALLBACK, App
from tests.support.people.pages import Pages
from tests.support.wire.loopback import Reply, running_server
from tests.support.world.client_documents import describe_app
from tests.support.world.clock import ManualClock
from tests.support.world.entropy import SeededEntropy
from tests.support.world.realm import add_user, build_realm

pytestmark = pytest.mark.races

METADATA = {"redirect_uris": [CALLBACK], "client_name": "Notes", "grant_types": ["authorization_code", "refresh_token"]}
IP = "192.0.2.1"


class Registered:
    """A client that has registered itself."""

    def __init__(self, realm: Realm, **metadata: object) -> None:
        made = register_itself(realm, make_token(realm), {**METADATA, **metadata}, ip=IP)
        assert isinstance(made, Managed), made
        self.realm = realm
        self.made = made
        self.client_id = made.client.client_id

    def update(self, name: str, **members: object) -> object:
        body = {**METADATA, "client_id": self.client_id, "client_name": name, **members}
        return update_itself(self.realm, self.client_id, self.made.management_token, body, ip=IP)

    def delete(self) -> object:
        return delete_itself(self.realm, self.client_id, self.made.management_token, ip=IP)


def make_token(realm: Realm, uses: int = 1) -> Secret:
    offer = Offer(scope=("openid", "read"), audience=(), uses=uses, lifetime=timedelta(hours=1))
    made = make_registration_token(realm, offer)
    assert isinstance(made, MadeToken)
    return made.text


def test_of_many_registrations_with_a_token_for_one_client_one_succeeds(crowded: Realm, rounds: int) -> None:
    for _ in range(max(rounds // 10, 1)):
        token = make_token(crowded)
        outcomes = race(*[lambda token=token: register_itself(crowded, token, METADATA, ip=IP)] * 8)
        assert sum(isinstance(outcome, Managed) for outcome in outcomes) == 1
        assert sum(isinstance(outcome, TokenRefused) for outcome in outcomes) == 7


def test_of_two_updates_the_later_one_counts_whole_and_one_secret_of_both_works(crowded: Realm, rounds: int) -> None:
    """And the secret that was in use before works on, whoever was first."""

    def prepare() -> Duel:
        client = Registered(crowded)

        def check(first: Managed, second: Managed) -> None:
            with crowded.database.read() as tx:
                kept = clients.find(tx, client.client_id)
            assert kept is not None
            assert kept.name in {"First", "Second"}
            assert kept.client_uri == ("https://app.example/first" if kept.name == "First" else None)
            digests = {one.client.secret_digest for one in (first, second)}
            assert kept.secret_digest in digests
            assert kept.former_secret is not None
            assert kept.former_secret.digest == client.made.client.secret_digest

        return Duel(
            (lambda: client.update("First", client_uri="https://app.example/first"), lambda: client.update("Second")),
            check,
        )

    fight(prepare, rounds // 5)


def test_an_update_beside_a_deletion_leaves_nothing(crowded: Realm, rounds: int) -> None:
    def prepare() -> Duel:
        client = Registered(crowded)

        def check(_updated: object, deleted: object) -> None:
            assert deleted is None
            with crowded.database.read() as tx:
                assert clients.find(tx, client.client_id) is None

        return Duel((lambda: client.update("Late"), client.delete), check)

    fight(prepare, rounds // 5)


def test_no_refresh_token_outlives_the_deletion_of_its_client(crowded: Realm, rounds: int) -> None:
    """Whichever is first, nothing of the client works afterwards."""
    api = Api(crowded)

    def prepare() -> Duel:
        number = len(made)
        email = f"user{number}@example.test"
        made.append(email)
        add_user(crowded, email)
        client = Registered(crowded, token_endpoint_auth_method="none")
        app = App(Pages(api), api, client.client_id)
        page = app.decide(app.sign_in(app.send(scope="openid read"), email))
        code = page.headers["Location"].partition("code=")[2].partition("&")[0]
        tokens = app.redeem(code).json
        assert tokens is not None

        def check(refreshed: Any, deleted: object) -> None:  # noqa: ANN401 - a response
            assert deleted is None
            assert refreshed.status_code in {200, 400, 401}
            held = (refreshed.json if refreshed.status_code == 200 else tokens)["refresh_token"]
            assert app.refresh(held).status_code in {400, 401}

        return Duel((lambda: app.refresh(tokens["refresh_token"]), client.delete), check)

    made: list[str] = []
    fight(prepare, rounds // 10)


def test_a_client_by_url_that_is_allowed_while_it_is_pruned_is_there_or_refused(
    database_url: str, clock: ManualClock, entropy: SeededEntropy, rounds: int
) -> None:
    """A code never names a client that has just gone."""
    realm = build_realm(database_url, clock, entropy, pool_size=3, documents=DocumentPolicy(is_on=True))
    api, emails = Api(realm), count()
    fetching = threading.Lock()  # duels are prepared at once, and a host is asked for two documents at a time at most
    with running_server() as host:
        host.answer = lambda asked: Reply(
            json.dumps(describe_app(f"{host.url}{asked.path}")).encode(), headers={"Content-Type": "application/json"}
        )

        def prepare() -> Duel:
            email = f"user{next(emails)}@example.test"
            add_user(realm, email)
            url = f"{host.url}/{email}/client.json"
            app = App(Pages(api), api, url)
            with fetching:
                asked = app.send(scope=None)
            page = app.sign_in(asked, email)
            with realm.database.write() as tx:
                stored = clients.add(tx, describe_blank(url, clock.now() - timedelta(days=2)))
            assert stored

            def check(answer: Any, _removed: object) -> None:  # noqa: ANN401 - a response
                if answer.status_code == 400:
                    return
                code = answer.headers["Location"].partition("code=")[2].partition("&")[0]
                assert app.redeem(code).status_code == 200

            pruning = ClientPruning(realm.database)
            return Duel((lambda: app.decide(page), lambda: pruning.prune_a_little(Trusted(clock.now()))), check)

        fight(prepare, rounds // 10)
    realm.database.dispose()


def describe_blank(url: str, created_at: datetime) -> Client:
    return Client(
        name="Before",
        client_id=url,
        kind=ClientKind.PUBLIC,
        secret_digest=None,
        family_version=1,
        created_at=created_at,
        disabled_at=None,
        provenance=ByDocument(created_at),
    )
