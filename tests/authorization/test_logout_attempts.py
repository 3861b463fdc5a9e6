"""Logout tokens on their way to a client over real HTTP: what it gets, when it is away, and who waits for it."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from structlog.testing import capture_logs

from authserver.authorization.logout_tokens import PAUSES, REFUSED_FOR, LogoutTokens
from authserver.clients.client_registration import ClientRegistration
from authserver.clients.client_standing import delete_client
from authserver.clients.register_client import register_client, update_client
from authserver.credentials.events import SignedOutEverywhere
from authserver.deliveries.outbox import Outbox
from authserver.jose.jws import parse_compact
from authserver.outbound import Outbound
from authserver.protocol.audit_name import AuditName
from authserver.protocol.client_metadata import ClientKind
from authserver.realm import Realm
from authserver.realm.outcomes import Invalid
from authserver.records.audit import AuditFilter
from authserver.records.client import Client
from authserver.records.delivery import Share
from authserver.storage import audit
from authserver.trusted_time import Trusted
from authserver.upkeep.prune import Retention, prune_all
from authserver.upkeep.work_outbox import list_calls, work_calls
from tests.support.people.authorizing import claims_of
from tests.support.people.logouts import list_told, register_listener
from tests.support.people.person import BY, Person
from tests.support.people.relying_party import Browser
from tests.support.wire.logout_receiver import LogoutReceiver, check_logout_token, running_receiver
from tests.support.world.clock import ManualClock
from tests.support.world.realm import ISSUER, hold_two_algorithms

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
PUBLIC = "93.184.216.34"


@dataclass
class World:
    """A person, and a client that listens at `receiver`."""

    realm: Realm
    clock: ManualClock
    receiver: LogoutReceiver
    client: Client
    person: Person
    id_tokens: list[str] = field(default_factory=list)
    """What clients got at their sign-ins."""

    def end_sessions(self, count: int = 1, *, clients: tuple[Client, ...] = ()) -> list[str]:
        """Sign in and out, one time after the other; the `sid`s."""
        sids = []
        for _ in range(count):
            browser = Browser(self.realm, self.person.user_id)
            for client in clients or (self.client,):
                self.id_tokens.append(browser.let(client).id_token or "")
            sids.append(browser.sid)
            self.clock.advance(SECOND)
            self.person.apply(SignedOutEverywhere(self.person.user_id))
        return sids

    def work(self, realm: Realm | None = None, share: Share = Share.ALL) -> int:
        return work_calls(realm or self.realm, share=share)

    def read(self, token: str, client: Client | None = None) -> dict[str, Any]:
        asked = (client or self.client).client_id
        jwks, now = self.realm.keyring.current.jwks, self.clock.now().timestamp()
        return check_logout_token(token, jwks, issuer=ISSUER, client_id=asked, now=now)

    def told(self) -> list[str]:
        """The `sid`s of which the client took the end, in order. Their tokens may have expired since."""
        return [claims_of(token)["sid"] for token in self.receiver.told]


@pytest.fixture
def receiver() -> Iterator[LogoutReceiver]:
    with running_receiver() as receiver:
        yield receiver


@pytest.fixture
def world(realm: Realm, clock: ManualClock, receiver: LogoutReceiver) -> World:
    return World(realm, clock, receiver, register_listener(realm, "news", receiver.uri), Person(realm))


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")  # joserfc prefers its name of RFC 9864
@pytest.mark.parametrize("algorithm", [None, "EdDSA"])
@pytest.mark.parametrize("pairwise", [False, True])
def test_a_client_gets_a_token_that_another_library_reads(
    world: World, clock: ManualClock, *, pairwise: bool, algorithm: str | None
) -> None:
    """Back-Channel Logout §2.4, §2.5: subject, session, key and algorithm as in the ID token that the client got."""
    world.realm = replace(world.realm, keyring=hold_two_algorithms(clock, world.realm.entropy))
    settings = {"pairwise": pairwise, "id_token_signed_response_alg": algorithm}
    world.client = register_listener(world.realm, "mine", world.receiver.uri, **settings)
    sids = world.end_sessions()
    assert world.work() == 1
    (token,), (id_token,) = world.receiver.tokens, world.id_tokens
    claims, known = world.read(token), claims_of(id_token)
    assert {name: claims[name] for name in ("iss", "aud", "sub", "sid")} == {
        name: known[name] for name in ("iss", "aud", "sub", "sid")
    }
    assert (claims["sub"] == world.person.user_id) is not pairwise
    assert ([claims["sid"]] == sids) is not pairwise
    headers = (parse_compact(text).header for text in (token, id_token))
    assert {(header["alg"], header["kid"]) for header in headers} == {
        (algorithm or "ES256", world.realm.keyring.load_client_key(algorithm).kid)
    }
    assert world.work() == 0


def test_each_attempt_is_a_new_token_under_the_same_jti(world: World) -> None:
    """Back-Channel Logout §4: no token is older than two minutes, and a copy can be recognised."""
    world.receiver.statuses = [503, 503]
    world.end_sessions()
    claims = []
    for pause in (*PAUSES[:2], SECOND):
        assert world.work() == 1
        claims.append(world.read(world.receiver.tokens[-1]))
        world.clock.advance(pause)
    assert len({one["jti"] for one in claims}) == 1
    assert len({one["iat"] for one in claims}) == len({one["exp"] for one in claims}) == 3
    assert (len(world.receiver.tokens), world.work()) == (3, 0)


@pytest.mark.parametrize("status", [200, 204, 202])
def test_a_client_that_took_it_is_told_once(world: World, status: int) -> None:
    """Back-Channel Logout §2.8."""
    world.receiver.statuses = [status]
    world.end_sessions()
    assert world.work() == 1
    world.clock.advance(DAY)
    assert world.work() == 0
    assert list_told(world.realm) == []


@pytest.mark.parametrize("status", [302, 401, 404, 429, 500, 501, 503])
def test_a_client_that_is_not_in_order_hears_of_everything_later_and_in_order(world: World, status: int) -> None:
    """One attempt at a time."""
    world.receiver.statuses = [status] * 3
    sids = world.end_sessions(3)
    for pause in PAUSES[:3]:
        assert world.work() == 1, "the later ones wait behind the first"
        if len(sids) == 3:
            sids += world.end_sessions()
        assert world.work() == 0
        world.clock.advance(pause)
    assert world.work() == 4
    assert world.told() == sids


def test_a_client_that_is_down_for_weeks_misses_nothing(realm: Realm, clock: ManualClock) -> None:
    """Nobody listens at its address; the queue is pruned meanwhile."""
    with running_receiver() as gone:
        uri = gone.uri
    world = World(realm, clock, gone, register_listener(realm, "news", uri), Person(realm))
    sids = world.end_sessions(3)
    retention = Retention(audit=timedelta(days=365))
    for _ in range(len(PAUSES)):
        assert world.work() == 1
        clock.advance(PAUSES[-1])
    for _ in range(5):
        clock.advance(6 * DAY)
        assert world.work() == 1
        prune_all(realm.database, Trusted(clock.now()), retention)
    clock.advance(PAUSES[-1])
    with running_receiver() as back:
        world.receiver = back
        assert isinstance(update_client(realm, "news", {"backchannel_logout_uri": back.uri}), Client)
        assert world.work() == 3
        assert world.told() == sids


def test_what_no_session_could_outlive_is_dropped(world: World) -> None:
    """At the absolute end of the session everybody's is over; a clock that is doubted drops nothing."""
    world.receiver.statuses = [503]
    world.end_sessions()
    world.work()
    world.clock.advance(timedelta(days=90))
    doubting = LogoutTokens(world.realm, lambda: True)
    outbox = Outbox(world.realm.database, world.clock, world.realm.entropy, (doubting,))
    with capture_logs() as logs:
        assert outbox.work(most=9) == 1
        world.clock.advance(PAUSES[-1])
        assert world.work() == 1
    assert [line["event"] for line in logs] == ["logout_put_off", "logout_dropped"]
    assert (len(world.receiver.tokens), list_told(world.realm)) == (1, [])


@pytest.mark.parametrize("change", [{"backchannel_logout_uri": None}, None])
def test_a_client_that_no_longer_listens_gets_nothing(world: World, change: dict[str, None] | None) -> None:
    world.end_sessions()
    if change is None:
        assert delete_client(world.realm, "news", by=BY) is None
    else:
        update_client(world.realm, "news", change)
    assert world.work() == 1
    assert (world.receiver.tokens, list_told(world.realm)) == ([], [])


def test_a_token_that_a_client_refuses_holds_up_no_other_and_is_given_up_after_a_day(world: World) -> None:
    """Back-Channel Logout §2.8: 400. Its logout may have failed for a moment, so it is asked again."""
    world.receiver.statuses = [400]
    refused, *others = world.end_sessions(3)
    assert world.work() == 3
    assert world.told() == others
    world.clock.advance(PAUSES[0])
    assert world.work() == 1
    assert world.told() == [*others, refused]
    world.receiver.statuses = [400] * 1000
    (sid,) = world.end_sessions()
    began = world.clock.now()
    with capture_logs() as logs:
        while list_told(world.realm):
            world.work()
            world.clock.advance(REFUSED_FOR / 4)
    assert world.clock.now() - began == REFUSED_FOR * 5 / 4
    assert logs[-1]["event"] == "logout_given_up"
    with world.realm.database.read() as tx:
        (record,) = audit.list_page(tx, AuditFilter(name=AuditName.LOGOUT_GIVEN_UP), limit=9)
    assert (record.user_id, record.sid, record.client_id) == (world.person.user_id, sid, "news")
    assert record.detail["reason"] == "the client answered 400"


def test_a_client_that_was_away_for_days_and_then_refuses_is_asked_for_a_day_more(world: World) -> None:
    world.receiver.statuses = [503, 400]
    (sid,) = world.end_sessions()
    for _ in range(3):
        world.work()
        world.clock.advance(timedelta(days=5) if len(world.receiver.tokens) == 1 else PAUSES[-1])
    assert world.told() == [sid]


def test_a_client_that_does_not_answer_delays_no_other(world: World) -> None:
    """One worker stands before it; the other tells everybody else, and later only the worker for repeats meets it."""
    realm = replace(world.realm, outbound=Outbound({"127.0.0.1"}, timeout=1))
    with running_receiver() as mute:
        mute.server.gate.clear()
        silent = register_listener(realm, "silent", mute.uri)
        world.end_sessions(3, clients=(silent, world.client))
        standing = threading.Thread(target=partial(world.work, realm, Share.FIRST_ATTEMPTS))
        standing.start()
        for _ in range(200):
            if world.work(realm, Share.FIRST_ATTEMPTS) == 0 and len(world.receiver.told) == 3:
                break
        standing.join(timeout=30)
        assert len(world.receiver.told) == 3
        assert len(mute.server.paths) == 1, "one in flight at a time"
        world.clock.advance(PAUSES[0])
        assert world.work(realm, Share.FIRST_ATTEMPTS) == 0
        assert world.work(realm, Share.REPEATED) == 1
        assert {client_id for client_id, _ in list_told(realm)} == {"silent"}


def test_nothing_is_claimed_twice_while_one_is_on_its_way(world: World) -> None:
    """A second worker finds nothing for a client that is being told."""
    found: list[int] = []
    taking = world.receiver.take

    def look_around(request: Any) -> Any:  # noqa: ANN401 - passed on
        found.append(world.work())
        return taking(request)

    world.receiver.server.answer = look_around
    sids = world.end_sessions(3)
    assert world.work() == 3
    assert found == [0, 0, 0]
    assert world.told() == sids


@pytest.mark.parametrize(
    ("uri", "addresses"),
    [
        ("https://127.0.0.1/logout", ["127.0.0.1"]),
        ("https://10.1.2.3/logout", ["10.1.2.3"]),
        ("https://169.254.169.254/latest/meta-data", ["169.254.169.254"]),
        ("https://[::1]/logout", ["::1"]),
        ("https://client.example/logout", ["10.1.2.3"]),
        ("https://client.example/logout", [PUBLIC, "127.0.0.1"]),
    ],
)
def test_no_token_goes_into_a_private_network(
    world: World, uri: str, addresses: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither by a literal address, which is not registered, nor by a name that leads there."""

    def refuse(*_: object) -> None:
        pytest.fail("a connection was opened")

    strict = replace(world.realm, outbound=Outbound(resolve=lambda _host, _port: addresses))
    registration = ClientRegistration("Evil", ClientKind.CONFIDENTIAL, "evil", backchannel_logout_uri=uri)
    registered = register_client(strict, registration)
    assert isinstance(registered, Invalid) is ("client.example" not in uri)
    if isinstance(registered, Invalid):
        assert [error.code for error in registered.errors] == ["invalid_backchannel_logout_uri"]
    hosts = {"127.0.0.1", "10.1.2.3", "169.254.169.254", "::1"}
    lax = replace(world.realm, outbound=Outbound(hosts))  # the operator allowed them, and then no more
    world.client = register_listener(lax, "trusted", uri)
    world.end_sessions()
    monkeypatch.setattr("socket.create_connection", refuse)
    with capture_logs() as logs:
        assert world.work(strict) == 1
    assert "private network" in logs[0]["reason"]
    assert logs[0]["event"] == "logout_put_off"


@pytest.mark.parametrize(
    "uri", ["http://client.example/logout", "ftp://client.example/", "https://a:b@client.example/", "https://c/#d", "x"]
)
def test_what_is_no_address_of_a_server_is_not_registered(world: World, uri: str) -> None:
    registration = ClientRegistration("Evil", ClientKind.CONFIDENTIAL, backchannel_logout_uri=uri)
    registered = register_client(world.realm, registration)
    assert isinstance(registered, Invalid)
    assert [error.field for error in registered.errors] == ["backchannel_logout_uri"]


def test_an_api_that_signs_nobody_in_is_told_nothing(world: World) -> None:
    uri = world.receiver.uri
    registered = register_client(
        world.realm, ClientRegistration("API", ClientKind.RESOURCE_SERVER, backchannel_logout_uri=uri)
    )
    assert isinstance(registered, Invalid)
    assert [(error.field, error.code) for error in registered.errors] == [
        ("backchannel_logout_uri", "invalid_combination")
    ]


def test_an_idle_worker_asks_once(world: World, recording: Any) -> None:  # noqa: ANN401 - the fixture's own
    """Several of each process do this every second."""
    with recording() as sent:
        assert work_calls(world.realm) == 0
    assert [statement.split()[0] for statement in sent] == ["SELECT"]
    assert [kind.name for kind in list_calls(world.realm)] == ["logout"]
