"""`private_key_jwt` at every endpoint that authenticates clients (RFC 7523): good assertions, and many bad ones."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from authserver.clients.client_registration import ClientRegistration
from authserver.clients.client_standing import disable_client
from authserver.clients.register_client import RegisteredClient, register_client, rotate_secret, update_client
from authserver.jose.client_assertion import LEEWAY
from authserver.protocol.client_metadata import TOKEN_PATH, AuthMethod, ClientKind
from authserver.realm import Realm
from authserver.realm.client_keys import COOL_DOWN
from authserver.realm.outcomes import Invalid, Refused
from authserver.records.audit import Actor
from authserver.records.client import Client
from authserver.storage import clients
from authserver.storage.schema import Client as ClientRow
from authserver.trusted_time import Trusted
from authserver.upkeep.prune import Retention, prune_all
from tests.support.people.api import Api, content
from tests.support.people.machine import KeyedClient, by_secret, make_client_pair, register_keyed, register_machine
from tests.support.wire.loopback import running_server
from tests.support.world.assertion_vectors import Kitchen, Recipe, Request, read_recipes
from tests.support.world.clock import ManualClock
from tests.support.world.realm import ISSUER, SCOPE
from tests.support.world.tokens import SigningPair, jwks

RECIPES = read_recipes()
KEYS = {"es": "ES256", "second-es": "ES256", "ed": "EdDSA", "rs": "RS256", "ps": "PS256"}
BY = Actor("test")

Endpoints = Mapping[str, Callable[[], tuple[Kitchen, dict[str, str]]]]


@pytest.fixture(scope="module")
def pairs() -> Mapping[str, SigningPair]:
    """The keys of the client, of another client and of nobody. Two are for ES256, so that it needs a `kid` there."""
    own = {kid: make_client_pair(kid, algorithm) for kid, algorithm in KEYS.items()}
    return {**own, "stranger": make_client_pair("es", "ES256"), "of-other-client": make_client_pair("other", "ES256")}


@pytest.fixture
def kitchen(realm: Realm, pairs: Mapping[str, SigningPair]) -> Kitchen:
    """The clients of the vectors."""
    own = jwks(*(pairs[kid] for kid in KEYS)).decode()
    other = jwks(pairs["of-other-client"]).decode()
    register_machine(realm, client_id="machine-1", jwks=own)
    register_machine(realm, client_id="other-1", jwks=other)
    register_machine(realm, client_id="secret-1")
    register_machine(realm, ClientKind.PUBLIC, client_id="public-1")
    register_machine(realm, client_id="disabled-1", jwks=own)
    disable_client(realm, "disabled-1", BY)
    return Kitchen(ISSUER, "machine-1", int(realm.clock.seconds()), pairs)


def send(api: Api, request: Request, path: str = TOKEN_PATH, **form: str) -> tuple[int, dict[str, object], str]:
    """Status, members and the reason in the log."""
    data = {"grant_type": "client_credentials", **request.form, **form}
    with capture_logs() as logged:
        response = api.client.post(path, data=data, headers=request.headers)
    assert response.json is not None
    return response.status_code, response.json, " ".join(str(line.get("reason", "")) for line in logged)


def show(api: Api, kitchen: Kitchen, recipe: Recipe) -> tuple[int, dict[str, object], str]:
    """What is answered to the assertion of `recipe`, after what it says has happened before."""
    jti = f"jti of {recipe.name}"
    request = kitchen.cook(recipe, jti)
    if recipe.differs.get("shown_before"):
        send(api, request)
    if recipe.differs.get("jti_used_before"):
        assert send(api, kitchen.good(jti))[0] == 200
    return send(api, request)


def test_there_are_enough() -> None:
    assert sum(recipe.error is not None for recipe in RECIPES) >= 60
    assert len({recipe.name for recipe in RECIPES}) == len(RECIPES)


def test_every_assertion_gets_its_answer(api: Api, kitchen: Kitchen) -> None:
    """ASVS 6.8.2, 10.4.16; RFC 7521 §4.2, RFC 7523 §2.2, §3: no bad one authenticates, for the reason in the log.

    RFC 9700 §2.5: clients can authenticate without a secret that the server knows.
    """
    for recipe in RECIPES:
        status, members, reason = show(api, kitchen, recipe)
        if recipe.error is None:
            assert (status, reason) == (200, ""), recipe.name
            continue
        assert (status, members["error"]) == (401 if recipe.error == "invalid_client" else 400, recipe.error), recipe
        assert recipe.code in reason, (recipe.name, reason)
        if recipe.error == "invalid_client":
            assert members["error_description"] == "Client authentication failed.", recipe.name
    assert send(api, kitchen.good())[0] == 200


def test_a_bad_assertion_does_not_use_up_its_jti(api: Api, kitchen: Kitchen) -> None:
    """Or whoever guesses a client's next jti could keep it out. Nothing is kept before the signature was checked."""
    for recipe in RECIPES:
        if recipe.error is not None and not recipe.differs.keys() & {"shown_before", "jti_used_before"}:
            send(api, kitchen.cook(recipe, "the next one"))
    assert send(api, kitchen.good("the next one"))[0] == 200


def test_a_jti_is_used_up_for_its_client_alone(api: Api, realm: Realm) -> None:
    """RFC 7523 §3: `jti` is unique for its issuer."""
    for name in ("ES256", "EdDSA"):
        client = register_keyed(realm, make_client_pair("k", name))
        assert send(api, Request(client.proof(client.assertion(jti="same")), {}))[0] == 200


def test_a_jti_is_refused_for_as_long_as_its_assertion_could_pass(
    api: Api, kitchen: Kitchen, clock: ManualClock
) -> None:
    request = kitchen.cook(next(one for one in RECIPES if one.name == "good-an-hour"))
    assert send(api, request)[0] == 200
    for seconds, reason in ((3600, "jti was used before"), (29, "jti was used before"), (1, "expired")):
        clock.advance(timedelta(seconds=seconds))
        status, _, said = send(api, request)
        assert status == 401
        assert reason in said


@pytest.fixture
def endpoints(realm: Realm, pairs: Mapping[str, SigningPair]) -> Endpoints:
    """Each endpoint that authenticates clients → a client with keys that may use it, and what else the form needs."""

    def register(kind: ClientKind, **settings: object) -> Kitchen:
        registered = register_client(
            realm,
            ClientRegistration("App", kind, jwks=jwks(pairs["es"]).decode(), **settings),  # type: ignore[arg-type]
        )
        assert isinstance(registered, RegisteredClient), registered
        return Kitchen(ISSUER, registered.client.client_id, int(realm.clock.seconds()), pairs)

    return {
        "/oauth/token": lambda: (register(ClientKind.SERVICE), {}),
        "/oauth/revoke": lambda: (register(ClientKind.CONFIDENTIAL, scope=SCOPE), {"token": "x"}),
        "/oauth/introspect": lambda: (register(ClientKind.RESOURCE_SERVER), {"token": "x"}),
        "/oauth/revocations": lambda: (register(ClientKind.RESOURCE_SERVER), {}),
    }


@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/revoke", "/oauth/introspect", "/oauth/revocations"])
def test_every_endpoint_takes_an_assertion_for_itself_the_token_endpoint_or_the_issuer(
    api: Api, endpoints: Endpoints, path: str
) -> None:
    """ASVS 10.4.10, 10.4.16; RFC 9126 §2 says so of its own endpoint. An assertion works at one of them, once."""
    kitchen, form = endpoints[path]()
    for audience in (ISSUER, ISSUER + path, ISSUER + TOKEN_PATH):
        request = kitchen.cook(Recipe("good", None, "", {"claims": {"aud": audience}}))
        assert send(api, request, path, **form)[0] == 200
        assert send(api, request, path, **form)[0] == 401
    elsewhere = kitchen.cook(Recipe("elsewhere", None, "", {"claims": {"aud": f"{ISSUER}/oauth/elsewhere"}}))
    assert send(api, elsewhere, path, **form)[0] == 401


def test_the_feed_is_never_read_with_an_assertion_in_the_url(api: Api, endpoints: Endpoints) -> None:
    """OAuth 2.1 §2.4: URLs are logged."""
    kitchen, _ = endpoints["/oauth/revocations"]()
    assert api.client.get("/oauth/revocations", query_string=kitchen.good().form).status_code == 401


def test_the_feed_is_told_the_cursor_in_the_form(api: Api, realm: Realm, endpoints: Endpoints) -> None:
    kitchen, _ = endpoints["/oauth/revocations"]()
    disable_client(realm, register_machine(realm).client.client_id, BY)
    _, first, _ = send(api, kitchen.good(), "/oauth/revocations")
    assert first["reset"] is True
    _, second, _ = send(api, kitchen.good(), "/oauth/revocations", cursor=str(first["cursor"]))
    assert second["reset"] is False


@pytest.mark.parametrize("method", [AuthMethod.CLIENT_SECRET_BASIC, AuthMethod.CLIENT_SECRET_POST])
def test_a_client_that_is_registered_for_one_method_has_no_other(api: Api, realm: Realm, method: AuthMethod) -> None:
    """RFC 7591 §2: `token_endpoint_auth_method`."""
    credentials = by_secret(register_machine(realm, auth_method=method))
    pair = (credentials["client_id"], credentials["client_secret"])
    form = {"grant_type": "client_credentials"}
    by_header = api.client.post(TOKEN_PATH, data=form, auth=pair)
    by_form = api.client.post(TOKEN_PATH, data={**form, **credentials})
    is_basic = method is AuthMethod.CLIENT_SECRET_BASIC
    assert (by_header.status_code, by_form.status_code) == ((200, 401) if is_basic else (401, 200))
    assert content(by_form if is_basic else by_header, 401)["error"] == "invalid_client"


def test_a_client_with_a_secret_and_no_method_may_send_it_either_way(api: Api, realm: Realm) -> None:
    credentials = by_secret(register_machine(realm))
    form = {"grant_type": "client_credentials"}
    pair = (credentials["client_id"], credentials["client_secret"])
    assert api.client.post(TOKEN_PATH, data=form, auth=pair).status_code == 200
    assert api.client.post(TOKEN_PATH, data={**form, **credentials}).status_code == 200
    both = api.client.post(TOKEN_PATH, data={**form, **credentials}, auth=pair)
    assert content(both, 400)["error"] == "invalid_request"


def test_keys_are_fetched_from_where_the_client_has_them(api: Api, realm: Realm, clock: ManualClock) -> None:
    """RFC 7591 §2 `jwks_uri`: a new key works as soon as it is published.

    While no set is known, that is not the client's fault, and it is told to try again.
    """
    old, new = make_client_pair("old", "ES256"), make_client_pair("new", "PS256")
    with running_server() as host:
        client = register_keyed(realm, old, jwks_uri=f"{host.url}/keys")
        host.status = 500
        status, members, _ = send(api, Request(client.proof(), {}))
        assert (status, members["error"]) == (503, "temporarily_unavailable")
        host.status, host.body = 200, jwks(old)
        clock.advance(timedelta(seconds=COOL_DOWN))
        assert send(api, Request(client.proof(), {}))[0] == 200
        host.body = jwks(old, new)
        clock.advance(timedelta(seconds=COOL_DOWN))
        assert send(api, Request(replace(client, pair=new).proof(), {}))[0] == 200
        assert send(api, Request(client.proof(), {}))[0] == 200
        assert host.hits == 3


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"auth_method": AuthMethod.PRIVATE_KEY_JWT}, "jwks"),
        ({"auth_method": AuthMethod.NONE}, "auth_method"),
        ({"auth_method": AuthMethod.CLIENT_SECRET_POST, "jwks_uri": "https://a.example/keys"}, "auth_method"),
        ({"jwks": jwks(make_client_pair("k", "EdDSA")).decode(), "jwks_uri": "https://a.example/keys"}, "jwks_uri"),
        ({"jwks": "{}"}, "jwks"),
        ({"jwks_uri": "https://10.0.0.1/keys"}, "jwks_uri"),
        ({"jwks_uri": "http://a.example/keys"}, "jwks_uri"),
        ({"jwks_uri": "https://a.example/keys#one"}, "jwks_uri"),
        ({"kind": ClientKind.PUBLIC, "jwks_uri": "https://a.example/keys"}, "jwks"),
        ({"kind": ClientKind.PUBLIC, "auth_method": AuthMethod.CLIENT_SECRET_POST}, "auth_method"),
    ],
)
def test_a_registration_that_could_not_authenticate_is_refused(
    realm: Realm, settings: dict[str, object], field: str
) -> None:
    registration = ClientRegistration("App", **{"kind": ClientKind.CONFIDENTIAL, **settings})  # type: ignore[arg-type]
    outcome = register_client(realm, registration)
    assert isinstance(outcome, Invalid)
    assert [error.field for error in outcome.errors] == [field]


def test_a_client_that_changes_to_keys_loses_its_secrets_for_good(api: Api, realm: Realm, clock: ManualClock) -> None:
    """A change back gives it none, until it gets a new one: the old one may be the reason for the change."""
    registered = register_machine(realm)
    client_id, old = registered.client.client_id, by_secret(registered)
    rotate_secret(realm, client_id, overlap=timedelta(days=1))
    key = make_client_pair("k", "ES256")
    assert isinstance(update_client(realm, client_id, {"jwks": jwks(key).decode()}), Client)
    clock.advance(timedelta(seconds=5))
    keyed = KeyedClient(client_id, key, int(realm.clock.seconds()))
    form = {"grant_type": "client_credentials"}
    assert api.client.post(TOKEN_PATH, data={**form, **old}).status_code == 401
    assert send(api, Request(keyed.proof(), {}))[0] == 200
    refused = rotate_secret(realm, client_id)
    assert isinstance(refused, Refused)
    assert isinstance(update_client(realm, client_id, {"jwks": None, "auth_method": None}), Client)
    clock.advance(timedelta(seconds=5))
    assert api.client.post(TOKEN_PATH, data={**form, **old}).status_code == 401
    assert send(api, Request(keyed.proof(), {}))[0] == 401
    rotated = rotate_secret(realm, client_id)
    assert isinstance(rotated, RegisteredClient)
    clock.advance(timedelta(seconds=5))
    assert api.client.post(TOKEN_PATH, data={**form, **by_secret(rotated)}).status_code == 200
    assert api.client.post(TOKEN_PATH, data={**form, **old}).status_code == 401


def test_used_assertions_are_forgotten_when_no_node_accepts_them(api: Api, realm: Realm, clock: ManualClock) -> None:
    client = register_keyed(realm, make_client_pair("k", "EdDSA"))
    proof = Request(client.proof(), {})
    assert send(api, proof)[0] == 200
    retention = Retention(audit=timedelta(days=365))
    clock.advance(timedelta(seconds=60 + LEEWAY) + retention.assertions)
    assert prune_all(realm.database, Trusted(clock.now()), retention).assertions == 0
    clock.advance(timedelta(seconds=1))
    assert prune_all(realm.database, Trusted(clock.now()), retention).assertions == 1
    assert send(api, proof)[0] == 401


@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/revoke", "/oauth/introspect", "/oauth/revocations"])
def test_every_endpoint_refuses_a_client_without_its_proof(api: Api, realm: Realm, path: str) -> None:
    """ASVS 10.4.10: no secret, a false one, an assertion that nobody signed; for each kind that is not public."""
    key = make_client_pair("k", "ES256")
    form = {"grant_type": "client_credentials", "token": "x"}
    for kind in (ClientKind.CONFIDENTIAL, ClientKind.SERVICE, ClientKind.RESOURCE_SERVER):
        client_id = register_machine(realm, kind).client.client_id
        keyed = KeyedClient(client_id, key, int(realm.clock.seconds()))
        for proof in ({"client_id": client_id}, {"client_id": client_id, "client_secret": "guessed"}, keyed.proof()):
            status, members, _ = send(api, Request({**form, **proof}, {}), path)
            assert (status, members["error"]) == (401, "invalid_client")


def test_the_release_before_takes_no_client_with_keys_for_a_public_one(realm: Realm) -> None:
    """Decision 15: both serve side by side. There, a client whose `secret_digest` is NULL authenticates by its name."""
    keyed = register_keyed(realm, make_client_pair("k", "EdDSA")).client_id
    changed = register_machine(realm).client.client_id
    update_client(realm, changed, {"jwks": jwks(make_client_pair("k", "EdDSA")).decode()})
    with realm.database.read() as tx:
        rows = tx.execute(select(ClientRow.client_id, ClientRow.secret_digest))
        digests = {row.client_id: row.secret_digest for row in rows}
        read = [clients.find(tx, client_id) for client_id in (keyed, changed)]
    assert [None if client is None else client.secret_digest for client in read] == [None, None]
    assert (digests[keyed], digests[changed]) == (b"", b"")
    assert digests["first-party"] is None
