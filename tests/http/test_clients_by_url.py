"""Clients whose id is the URL of a document (OAuth Client ID Metadata Document), with a real document server."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from sqlalchemy import text
from werkzeug.test import TestResponse

from authserver.account.connected_apps import list_apps
from authserver.clients.by_document import MOST_PER_USER
from authserver.clients.client_standing import delete_client, disable_client, enable_client
from authserver.clients.register_client import update_client
from authserver.clients.registration_tokens import (
    MadeToken,
    Offer,
    list_registration_tokens,
    make_registration_token,
)
from authserver.outbound import Outbound
from authserver.protocol.client_metadata import ClientKind
from authserver.realm import Realm
from authserver.realm.client_documents import AT_ONE_HOST, MOST_REMEMBERED, ClientDocuments, DocumentPolicy
from authserver.realm.outcomes import Invalid, Refused
from authserver.records.audit import SERVER, AuditFilter
from authserver.records.client_document import Terms
from authserver.records.provenance import ByDocument
from authserver.storage import audit, clients
from authserver.trusted_time import Trusted
from authserver.upkeep.prune import Retention, prune_all
from authserver.upkeep.prune_clients import ClientPruning, prune_all_clients
from tests.support.people.api import Api, content
from tests.support.people.authorizing import CALLBACK, App, answered, claims_of
from tests.support.people.machine import KeyedClient, make_client_pair
from tests.support.people.pages import Pages, read_page
from tests.support.wire.loopback import Asked, LoopbackServer, Reply, running_server
from tests.support.world.client_documents import DOCUMENTS, PRIVATE, URLS, describe_app, write_document
from tests.support.world.clock import ManualClock
from tests.support.world.entropy import SeededEntropy
from tests.support.world.realm import add_user, build_realm
from tests.support.world.tokens import jwks

TERMS = Terms(("openid", "profile", "read", "offline_access"), ("https://mcp.example/mcp",))
POLICY = DocumentPolicy(is_on=True, terms=TERMS)
BY_KEYS: dict[str, Any] = {"token_endpoint_auth_method": "private_key_jwt"}
JSON = {"Content-Type": "application/json"}


class Host:
    """Serves the documents of clients."""

    def __init__(self, server: LoopbackServer) -> None:
        self.server = server
        self.url = f"{server.url}/client.json"
        self.says: dict[str, Any] = {}
        self.headers: dict[str, str] = {}
        server.answer = self._answer

        self.keys = b""

    def _answer(self, asked: Asked) -> Reply:
        if asked.path == "/keys":
            return Reply(self.keys, headers=JSON)
        url = f"{self.server.url}{asked.path}"
        return Reply(json.dumps(describe_app(url, **self.says)).encode(), headers={**JSON, **self.headers})


@pytest.fixture
def host() -> Iterator[Host]:
    with running_server() as server:
        yield Host(server)


@pytest.fixture
def policy() -> DocumentPolicy:
    return POLICY


@pytest.fixture
def realm(database_url: str, clock: ManualClock, entropy: SeededEntropy, policy: DocumentPolicy) -> Iterator[Realm]:
    realm = build_realm(database_url, clock, entropy, documents=policy)
    yield realm
    realm.database.dispose()


@pytest.fixture
def app(api: Api, user_id: str, host: Host) -> App:
    """One client by URL in one browser."""
    return App(Pages(api), api, host.url)


def is_refused(page: TestResponse) -> bool:
    """Whether the person is told, and nobody is redirected (RFC 6749 §4.1.2.1)."""
    return page.status_code == 400 and "Location" not in page.headers and "This link is not valid" in page.text


def list_rows(realm: Realm) -> list[str]:
    """The clients by URL that have a row."""
    with realm.database.read() as tx:
        return [one.client_id for one in clients.list_all(tx) if isinstance(one.provenance, ByDocument)]


def ask(app: App, **parameters: str | None) -> TestResponse:
    """The page that a person sees who is signed in, or signs in on the way."""
    page = app.send(**parameters)
    return app.sign_in(page) if 'name="password"' in page.text else page


def test_a_client_that_nobody_registered_signs_people_in(app: App, host: Host, realm: Realm) -> None:
    """Draft -01 §4: what the clients of the Model Context Protocol do (revision 2026-07-28)."""
    host.says = {"grant_types": ["authorization_code", "refresh_token"]}
    tokens = app.connect(scope="openid read", resource=TERMS.audience[0])
    claims = claims_of(tokens["access_token"])
    assert (claims["client_id"], claims["aud"]) == (host.url, TERMS.audience[0])
    assert app.refresh(tokens["refresh_token"]).status_code == 200
    assert list_rows(realm) == [host.url]
    assert host.server.hits == 1


@pytest.mark.parametrize("is_inline", [True, False], ids=["inline", "by URL"])
def test_a_client_by_url_with_keys_is_confidential_without_a_secret(
    app: App, host: Host, realm: Realm, clock: ManualClock, *, is_inline: bool
) -> None:
    """Draft -01 §6.2, RFC 7523 §2.2."""
    pair = make_client_pair("k", "ES256")
    host.keys = jwks(pair)
    named = {"jwks": json.loads(host.keys)} if is_inline else {"jwks_uri": f"{host.server.url}/keys"}
    host.says = {**BY_KEYS, **named, "grant_types": ["authorization_code", "refresh_token"]}
    keyed, code = KeyedClient(host.url, pair, int(clock.seconds())), app.authorize(scope="openid read")
    assert content(app.redeem(code), 401)["error"] == "invalid_client"
    assert content(app.redeem(code, client_secret=""), 401)["error"] == "invalid_client"
    tokens = content(app.redeem(code, **keyed.proof()), 200)
    assert app.refresh(tokens["refresh_token"], **keyed.proof()).status_code == 200
    assert content(app.refresh(tokens["refresh_token"]), 401)["error"] == "invalid_client"
    with realm.database.read() as tx:
        client = clients.find(tx, host.url)
    assert client is not None
    assert (client.kind, client.secret_digest) == (ClientKind.CONFIDENTIAL, None)


def test_a_client_by_url_pushes_its_requests_once_it_has_a_row(app: App, host: Host, clock: ManualClock) -> None:
    """Before that, a stranger could fill a table with pushed requests of made-up clients (decision 58)."""
    pair = make_client_pair("k", "ES256")
    host.says = {**BY_KEYS, "jwks": json.loads(jwks(pair)), "require_pushed_authorization_requests": True}
    keyed = KeyedClient(host.url, pair, int(clock.seconds()))

    def push() -> TestResponse:
        asked = dict(parse_qsl(urlsplit(app.link(scope="openid read")).query))
        return app.api.client.post("/oauth/par", data={**asked, **keyed.proof()})

    assert content(push(), 401)["error"] == "invalid_client"
    assert host.server.hits == 0
    app.authorize(scope="openid read")  # the document cannot demand what its first request could not do
    request_uri = content(push(), 201)["request_uri"]
    page = app.pages.get(f"/oauth/authorize?{urlencode({'client_id': host.url, 'request_uri': request_uri})}")
    assert answered(app.follow(page))["code"]


def test_new_keys_need_no_new_consent_and_the_next_authorization_reads_them(
    app: App, host: Host, clock: ManualClock
) -> None:
    old, new = make_client_pair("k", "ES256"), make_client_pair("k", "ES256")
    host.says = {**BY_KEYS, "jwks": json.loads(jwks(old))}
    app.authorize(scope="openid read")
    host.says = {**BY_KEYS, "jwks": json.loads(jwks(new))}
    clock.advance(timedelta(minutes=6))
    code = answered(app.send(scope="openid read"))["code"]
    clock.advance(timedelta(seconds=6))  # servers remember clients
    now = int(clock.seconds())
    assert app.redeem(code, **KeyedClient(host.url, old, now).proof()).status_code == 401
    assert app.redeem(code, **KeyedClient(host.url, new, now).proof()).status_code == 200


def test_a_client_by_url_changes_between_keys_and_none(
    app: App, host: Host, database_url: str, realm: Realm, clock: ManualClock
) -> None:
    """People are asked again. A node of the release before takes a client without a digest for a public one."""
    pair = make_client_pair("k", "ES256")
    keys = {**BY_KEYS, "jwks": json.loads(jwks(pair))}
    for says, digest in (({}, None), (keys, b""), ({}, None)):
        host.says = says
        clock.advance(timedelta(minutes=6))
        page = ask(app, scope="openid read")
        assert 'name="decision"' in page.text
        assert answered(app.decide(page))["code"]
        with realm.database.read() as tx:
            row = tx.execute(text("SELECT secret_digest FROM clients WHERE client_id = :id"), {"id": host.url}).scalar()
        assert (row if row is None else bytes(row)) == digest


@pytest.mark.parametrize("uri", ["https://169.254.169.254/keys", "http://app.example/keys", "https://10.0.0.1/keys"])
def test_keys_are_only_where_this_server_may_call(app: App, host: Host, realm: Realm, uri: str) -> None:
    """Draft -01 §6.5, RFC 6890."""
    host.says = {**BY_KEYS, "jwks_uri": uri}
    assert is_refused(app.send())
    assert str(realm.documents.find(host.url)).startswith("jwks_uri must")
    assert host.server.hits == 2, "such a document is not remembered"


def test_discovery_says_whether_there_are_such_clients(api: Api, realm: Realm, clock: ManualClock) -> None:
    """Draft -01 §5."""
    document = content(api.client.get("/.well-known/oauth-authorization-server"), 200)
    assert document["client_id_metadata_document_supported"] is True


class TestOff:
    """An installation as it is by default."""

    @pytest.fixture
    def policy(self) -> DocumentPolicy:
        return DocumentPolicy()

    def test_no_document_is_fetched(self, app: App, host: Host, api: Api) -> None:
        assert is_refused(app.send())
        assert host.server.hits == 0
        document = content(api.client.get("/.well-known/oauth-authorization-server"), 200)
        assert document["client_id_metadata_document_supported"] is False


class TestListedHosts:
    """An installation that takes the documents of one host only."""

    @pytest.fixture
    def policy(self) -> DocumentPolicy:
        return DocumentPolicy(is_on=True, hosts=frozenset({"localhost"}), terms=TERMS)

    def test_no_other_host_is_called(self, app: App, host: Host) -> None:
        assert is_refused(app.send())
        assert host.server.hits == 0
        local = host.url.replace("127.0.0.1", "localhost")
        host.says = {"client_id": local}
        assert not is_refused(app.send(client_id=local))
        assert host.server.hits == 1


def test_every_answer_of_a_document_server_has_its_answer_and_none_is_a_failure(
    app: App, host: Host, realm: Realm
) -> None:
    """ASVS 10.4.7; RFC 7591 §2: hostile documents as data. Only what is in order is remembered (draft -01 §4.4)."""
    found: dict[str, tuple[bool, int]] = {}
    for number, vector in enumerate(DOCUMENTS):
        url = f"{host.server.url}/{number}/client.json"
        host.server.answer = lambda _asked, vector=vector, url=url: write_document(vector, url)
        before = host.server.hits
        pages = [app.send(client_id=url) for _ in range(2)]
        assert not any(page.status_code >= 500 for page in pages), vector.name
        found[vector.name] = (not is_refused(pages[0]), host.server.hits - before)
        if not vector.is_accepted:
            assert vector.answer in str(realm.documents.find(url)), vector.name
    assert found == {vector.name: (True, 1) if vector.is_accepted else (False, 2) for vector in DOCUMENTS}
    assert list_rows(realm) == []


def test_urls_that_cannot_be_clients_are_refused_and_not_called(app: App, realm: Realm) -> None:
    """Draft -01 §3, §6.5: neither other shapes nor hosts in private networks (RFC 6890)."""
    for url in [*(url for url, _ in URLS), *PRIVATE]:
        page = app.send(client_id=url)
        assert is_refused(page), url
    for url in PRIVATE:
        assert "private network" in str(realm.documents.find(url)), url


def test_a_consent_shows_the_host_and_neither_its_logo_nor_links_under_another_name(app: App, host: Host) -> None:
    """ASVS 10.4.7; draft -01 §6.4, §6.7."""
    host.says = {
        "client_name": "Bank of Trust",
        "client_uri": "https://bank.example/",
        "logo_uri": "https://bank.example/logo.png",
    }
    page = app.send()
    assert "to continue to Bank of Trust (127.0.0.1)" in read_page(page)
    page = app.sign_in(page)
    assert "Nobody checked this app. Only its address is certain: 127.0.0.1" in read_page(page)
    assert "bank.example" not in page.text
    assert "img-src 'self';" in page.headers["Content-Security-Policy"]


def test_a_consent_is_remembered_for_what_was_shown(app: App, host: Host, clock: ManualClock) -> None:
    """Draft -01 §6.3."""
    app.decide(ask(app, scope="openid read"))
    assert answered(app.send(scope="openid read"))["code"]
    assert 'name="decision"' in app.send(scope="openid profile").text


@pytest.mark.parametrize(
    "change",
    [
        {"client_name": "Another"},
        {"redirect_uris": [CALLBACK, "https://other.example/"]},
        {"client_uri": "https://other.example/"},
        {"tos_uri": "https://other.example/"},
        {"grant_types": ["authorization_code", "refresh_token"]},
        {"post_logout_redirect_uris": [CALLBACK]},
        {"application_type": "native"},
    ],
)
def test_a_document_that_changes_is_asked_about_again(
    app: App, host: Host, realm: Realm, clock: ManualClock, change: dict[str, Any]
) -> None:
    """And what was allowed to the earlier description is not allowed to the new one (draft -01 §6.3)."""
    app.decide(ask(app, scope="openid read profile"))
    host.says = change
    clock.advance(timedelta(minutes=6))
    page = app.send(scope="openid read")
    assert 'name="decision"' in page.text
    assert answered(app.decide(page))["code"]
    host.says = {**change, "client_name": "Third"} if "application_type" not in change else change
    assert 'name="decision"' in app.send(scope="openid read profile").text


def test_another_users_consent_to_an_earlier_description_does_not_count_either(
    app: App, host: Host, api: Api, realm: Realm, clock: ManualClock
) -> None:
    add_user(realm, "eve@example.test")
    other = App(Pages(api), api, host.url)
    other.decide(other.sign_in(other.send(scope="openid read"), "eve@example.test"))
    host.says = {"client_name": "Another"}
    clock.advance(timedelta(minutes=6))
    app.decide(ask(app, scope="openid read"))
    assert 'name="decision"' in other.send(scope="openid read").text


def test_a_redirect_to_this_machine_is_asked_about_each_time(app: App, host: Host) -> None:
    """RFC 8252 §8.6: any program here can name any client, and listen at its port."""
    host.says = {"redirect_uris": ["http://127.0.0.1/callback", "http://localhost/callback"]}
    for port in (40001, 40002):
        for name in ("127.0.0.1", "localhost"):
            local = App(app.pages, app.api, host.url, redirect_uri=f"http://{name}:{port}/callback")
            page = ask(local)
            assert 'name="decision"' in page.text
            assert answered(local.decide(page), local.redirect_uri)["code"]


@pytest.mark.parametrize(
    "redirect_uri", ["https://app.example/other", "https://app.example/callback/", CALLBACK + "?a"]
)
def test_redirect_uris_are_those_of_the_document_exactly(app: App, redirect_uri: str) -> None:
    """RFC 9700 §2.1."""
    assert is_refused(app.send(redirect_uri=redirect_uri))


@pytest.mark.parametrize(
    ("asked", "error"), [("admin", "invalid_scope"), ("openid email", "invalid_scope"), ("openid", None)]
)
def test_a_client_by_url_gets_only_what_the_operator_gives_to_all_of_them(
    app: App, host: Host, asked: str, error: str | None
) -> None:
    """Design §9a: never `admin`, whatever its document says."""
    host.says = {"scope": "openid admin email read"}
    page = ask(app, scope=asked)
    assert error is None or answered(page)["error"] == error
    assert error is not None or 'name="decision"' in page.text


def test_a_client_by_url_has_no_way_to_passwords(api: Api, host: Host, app: App) -> None:
    """It is never first-party."""
    app.connect()
    response = api.login(client_id=host.url)
    assert content(response, 400 if response.status_code == 400 else 403)["code"] == "unauthorized_client"


def test_what_an_operator_narrows_is_narrowed_at_the_next_refresh(
    app: App, host: Host, realm: Realm, database_url: str, clock: ManualClock, entropy: SeededEntropy
) -> None:
    host.says = {"grant_types": ["authorization_code", "refresh_token"]}
    tokens = app.connect(scope="openid read")
    clock.advance(timedelta(minutes=2))
    narrow = DocumentPolicy(is_on=True, terms=Terms(("openid",)))
    node = build_realm(database_url, clock, entropy, keyring=realm.keyring, documents=narrow)
    refreshed = App(Pages(Api(node)), Api(node), host.url).refresh(tokens["refresh_token"])
    assert content(refreshed, 200)["scope"] == "openid"
    node.database.dispose()


def test_a_document_that_vanishes_signs_nobody_out_and_lets_nobody_in(app: App, host: Host, clock: ManualClock) -> None:
    """An outage of the client's host is no revocation; people and operators end what they do not want."""
    host.says = {"grant_types": ["authorization_code", "refresh_token"]}
    tokens = app.connect()
    host.server.answer, host.server.status = None, 404
    clock.advance(timedelta(minutes=6))
    assert is_refused(app.send())
    assert app.refresh(tokens["refresh_token"]).status_code == 200


def test_a_client_by_url_is_disabled_like_all_others(app: App, host: Host, realm: Realm, clock: ManualClock) -> None:
    """Tokens, feed, and no way in, although its document is still there; enabled, it may begin again."""
    host.says = {"grant_types": ["authorization_code", "refresh_token"]}
    tokens = app.connect()
    assert not isinstance(disable_client(realm, host.url, SERVER), Refused)
    entries = json.loads(realm.feed.read("", None).body or b"")["entries"]
    assert [one["client_id"] for one in entries if one["kind"] == "client"] == [host.url]
    assert app.refresh(tokens["refresh_token"]).status_code in {400, 401}
    clock.advance(timedelta(minutes=6))
    fetched = host.server.hits
    assert is_refused(app.send())
    assert host.server.hits == fetched
    assert enable_client(realm, host.url) is None
    clock.advance(timedelta(seconds=6))
    assert not is_refused(app.send())
    assert app.refresh(tokens["refresh_token"]).status_code == 400


def test_a_client_that_is_disabled_between_question_and_answer_gets_nothing(app: App, host: Host, realm: Realm) -> None:
    app.connect()
    page = ask(app, prompt="consent")
    disable_client(realm, host.url, SERVER)
    assert is_refused(app.decide(page))


def test_it_is_disabled_and_not_deleted(app: App, host: Host, realm: Realm) -> None:
    """Deleted, it would come back with its next user."""
    app.connect()
    outcome = delete_client(realm, host.url)
    assert isinstance(outcome, Refused)
    assert outcome.code == "by_document"
    assert list_rows(realm) == [host.url]


def test_users_see_it_by_its_host_and_disconnect_it(app: App, host: Host, realm: Realm, user_id: str) -> None:
    app.connect()
    assert "Sketch (127.0.0.1)" in read_page(app.pages.get("/account/apps"))
    app.pages.post("/account/apps", None, disconnect=host.url)
    assert list_apps(realm, user_id) == []


def test_an_operator_sets_what_the_document_does_not_say(
    app: App, host: Host, realm: Realm, clock: ManualClock
) -> None:
    app.connect()
    refused: list[dict[str, Any]] = [{"name": "Ours"}, {"first_party": True}, {"offline_access": True}]
    for changes in (*refused, {"scope": ("admin",)}, {"audience": ("https://other.example",)}):
        assert isinstance(update_client(realm, host.url, changes), Invalid)
    host.says = {"client_name": "Another"}
    clock.advance(timedelta(minutes=6))
    page = ask(app)  # from now on the process remembers the client as it is without the change
    assert not isinstance(update_client(realm, host.url, {"access_token_lifetime": timedelta(minutes=1)}), Invalid)
    app.decide(page)
    with realm.database.read() as tx:
        client = clients.find(tx, host.url)
    assert client is not None
    assert (client.name, client.access_token_lifetime) == ("Another", timedelta(minutes=1))


def test_the_audit_record_says_how_it_came_and_what_changed(
    app: App, host: Host, realm: Realm, user_id: str, clock: ManualClock
) -> None:
    app.connect()
    clock.advance(timedelta(minutes=6))
    host.says = {"client_name": "Another"}
    app.connect()
    with realm.database.read() as tx:
        events = [event for event in audit.list_page(tx, AuditFilter(), limit=50) if event.client_id == host.url]
    created, updated = (
        next(event for event in events if event.name == name) for name in ("client_created", "client_updated")
    )
    assert (created.detail["provenance"], created.actor.name) == ("document", user_id)
    assert (updated.detail["changed"], updated.actor.name) == ("name", user_id)


def test_a_flood_of_made_up_clients_fills_neither_memory_nor_tables(app: App, host: Host, realm: Realm) -> None:
    """Only what a user has allowed has a row, and only so many documents are remembered."""
    for number in range(MOST_REMEMBERED + 5):
        assert not isinstance(realm.documents.find(f"{host.server.url}/{number}/client.json"), str)
    assert len(realm.documents._remembered) == MOST_REMEMBERED
    assert realm.documents.needs_fetching(f"{host.server.url}/0/client.json")
    assert not realm.documents.needs_fetching(f"{host.server.url}/{MOST_REMEMBERED}/client.json")
    assert not is_refused(app.send())
    assert list_rows(realm) == []


def test_a_user_connects_so_many_clients_by_url_and_no_more(
    app: App, host: Host, realm: Realm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody who has an account can make up as many documents as they like."""
    assert MOST_PER_USER == 100
    monkeypatch.setattr("authserver.clients.by_document.MOST_PER_USER", 2)
    urls = [f"{host.server.url}/{number}/client.json" for number in range(3)]
    for url in urls[:2]:
        App(app.pages, app.api, url).connect()
    page = ask(App(app.pages, app.api, urls[2]))
    assert answered(App(app.pages, app.api, urls[2]).decide(page))["error"] == "access_denied"
    assert App(app.pages, app.api, urls[0]).connect(prompt="consent")
    assert list_rows(realm) == urls[:2]


def test_a_client_that_holds_nothing_is_pruned_and_a_disabled_one_stays(
    app: App, host: Host, realm: Realm, clock: ManualClock, user_id: str
) -> None:
    used, banned = f"{host.server.url}/used.json", f"{host.server.url}/banned.json"
    for url in (host.url, used, banned):
        App(app.pages, app.api, url).connect()
    disable_client(realm, banned, SERVER)
    for url in (host.url, banned):
        app.pages.post("/account/apps", None, disconnect=url)
    pruning, retention = ClientPruning(realm.database), Retention(audit=timedelta(days=365))
    assert pruning.prune_a_little(Trusted(clock.now())) == 0
    clock.advance(timedelta(days=200))
    assert pruning.prune_a_little(Trusted(clock.now())) == 0  # ended families are kept for a while
    prune_all(realm.database, Trusted(clock.now()), retention)
    assert pruning.prune_a_little(Trusted(clock.now())) == 1
    assert set(list_rows(realm)) == {used, banned}


def test_an_operator_prunes_all_clients_by_url_and_tokens_that_are_left_over(
    app: App, host: Host, realm: Realm, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many steps it takes; a token with which clients may still register stays."""
    monkeypatch.setattr("authserver.upkeep.prune_clients.BATCH", 1)
    for number in range(3):
        url = f"{host.server.url}/{number}/client.json"
        App(app.pages, app.api, url).connect()
        app.pages.post("/account/apps", None, disconnect=url)
    offer = Offer(scope=("read",), audience=(), uses=1, lifetime=timedelta(hours=1))
    for _ in range(6):
        assert isinstance(make_registration_token(realm, offer), MadeToken)
    clock.advance(timedelta(days=200))
    kept = make_registration_token(realm, offer)
    assert isinstance(kept, MadeToken)
    prune_all(realm.database, Trusted(clock.now()), Retention(audit=timedelta(days=365)))
    gone = prune_all_clients(realm.database, Trusted(clock.now()))
    assert (gone.clients, gone.tokens, list_rows(realm)) == (3, 6, [])
    assert [token.token_id for token in list_registration_tokens(realm)] == [kept.token.token_id]


def test_a_slow_document_server_holds_a_bounded_number_of_requests(
    database_url: str, clock: ManualClock, entropy: SeededEntropy, host: Host
) -> None:
    """The others are refused at once, and other hosts are still called."""
    documents = ClientDocuments(POLICY, Outbound({"127.0.0.1", "localhost"}, timeout=10), clock)
    host.server.gate.clear()
    with ThreadPoolExecutor(AT_ONE_HOST) as pool:
        waiting = [pool.submit(documents.find, f"{host.url}{number}") for number in range(AT_ONE_HOST)]
        while host.server.hits < AT_ONE_HOST:
            assert not any(one.done() for one in waiting)
        assert documents.find(host.url) == "too many documents are being fetched"
        assert host.server.hits == AT_ONE_HOST
        host.server.gate.set()
        assert not any(isinstance(one.result(), str) for one in waiting)
    assert not isinstance(documents.find(host.url), str)


def test_a_stranger_cannot_make_this_server_call_others_often(realm: Realm, host: Host, user_id: str) -> None:
    api = Api(realm, login_limits="1 per minute")
    app = App(Pages(api), api, host.url)
    statuses = {app.pages.get(app.link(client_id=f"{host.server.url}/{n}/client.json")).status_code for n in range(101)}
    assert statuses == {303, 429}
    assert host.server.hits == 100
    assert app.pages.get(app.link(client_id=f"{host.server.url}/0/client.json")).status_code == 303


def test_two_users_allow_a_new_client_at_the_same_moment(crowded_documents: Realm, host: Host) -> None:
    """One row, two codes."""
    realm, api = crowded_documents, Api(crowded_documents)
    apps = []
    for number in range(4):
        add_user(realm, f"user{number}@example.test")
        app = App(Pages(api), api, host.url)
        apps.append((app, app.sign_in(app.send(), f"user{number}@example.test")))
    with ThreadPoolExecutor(len(apps)) as pool:
        pages = list(pool.map(lambda one: one[0].decide(one[1]), apps))
    assert all(answered(page)["code"] for page in pages)
    assert list_rows(realm) == [host.url]


@pytest.fixture
def crowded_documents(database_url: str, clock: ManualClock, entropy: SeededEntropy) -> Iterator[Realm]:
    realm = build_realm(database_url, clock, entropy, pool_size=3, documents=POLICY)
    yield realm
    realm.database.dispose()
