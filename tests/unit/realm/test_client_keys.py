"""The keys of clients at their `jwks_uri`: over real sockets, with time by hand."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from authserver.jose.algorithms import SigningAlgorithm, find_client_algorithm
from authserver.jose.jwk import VerificationKey
from authserver.outbound import Outbound
from authserver.protocol.client_metadata import ClientKind
from authserver.realm.client_keys import (
    COOL_DOWN,
    KEPT_FOR,
    LARGEST_SET,
    MAX_AGE,
    MOST_SETS,
    MOST_WAITING,
    ClientKeys,
    ClientKeysUnavailableError,
)
from authserver.records.client import Client
from tests.support.people.machine import make_client_pair
from tests.support.wire.loopback import LoopbackServer, running_server
from tests.support.world.clock import START, ManualClock
from tests.support.world.processes import wait_until
from tests.support.world.tokens import SigningPair, jwks

FIRST, SECOND = make_client_pair("first", "ES256"), make_client_pair("second", "EdDSA")
TWINS = make_client_pair("twin-1", "EdDSA"), make_client_pair("twin-2", "EdDSA")


@pytest.fixture
def host() -> Iterator[LoopbackServer]:
    """Where the client has its keys."""
    with running_server() as host:
        host.body = jwks(FIRST)
        yield host


@pytest.fixture
def keys(clock: ManualClock) -> ClientKeys:
    return ClientKeys(Outbound({"127.0.0.1"}, timeout=5), clock)


@pytest.fixture
def client(host: LoopbackServer) -> Client:
    return machine(jwks_uri=f"{host.url}/keys")


def machine(**keys: str) -> Client:
    return Client(
        "Machine",
        client_id="machine-1",
        kind=ClientKind.SERVICE,
        secret_digest=None,
        family_version=1,
        created_at=START,
        disabled_at=None,
        **keys,  # type: ignore[arg-type]
    )


def algorithm(name: str) -> SigningAlgorithm:
    found = find_client_algorithm(name)
    assert found is not None
    return found


def find(keys: ClientKeys, client: Client, pair: SigningPair) -> VerificationKey | None:
    return keys.find(client, pair.kid, pair.algorithm)


def test_keys_are_fetched_once_for_as_long_as_they_are_young(
    keys: ClientKeys, client: Client, host: LoopbackServer, clock: ManualClock
) -> None:
    for _ in range(3):
        assert find(keys, client, FIRST) == FIRST.verification_key
        clock.advance(timedelta(seconds=MAX_AGE / 4))
    assert host.paths == ["/keys"]
    clock.advance(timedelta(seconds=MAX_AGE / 4))
    assert find(keys, client, FIRST) == FIRST.verification_key
    assert host.hits == 2


def test_a_new_key_is_found_at_once_and_made_up_ones_cause_no_stream_of_calls(
    keys: ClientKeys, client: Client, host: LoopbackServer, clock: ManualClock
) -> None:
    find(keys, client, FIRST)
    host.body = jwks(FIRST, SECOND)
    clock.advance(timedelta(seconds=COOL_DOWN))
    assert find(keys, client, SECOND) == SECOND.verification_key
    for number in range(50):
        assert keys.find(client, f"made-up-{number}", algorithm("ES256")) is None
    assert host.hits == 2


def test_a_withdrawn_key_is_refused_when_the_set_is_too_old(
    keys: ClientKeys, client: Client, host: LoopbackServer, clock: ManualClock
) -> None:
    """Also the last one: who publishes an empty set has no key."""
    find(keys, client, FIRST)
    for body in (jwks(SECOND), jwks()):
        host.body = body
        clock.advance(timedelta(seconds=MAX_AGE))
        assert find(keys, client, FIRST) is None


@pytest.mark.parametrize("trouble", ["status", "body", "size", "redirect"])
def test_the_last_good_set_is_used_for_a_day_while_its_host_is_in_trouble(
    keys: ClientKeys, client: Client, host: LoopbackServer, clock: ManualClock, trouble: str
) -> None:
    find(keys, client, FIRST)
    match trouble:
        case "status":
            host.status = 500
        case "body":
            host.body = b"<html>"
        case "size":
            host.body = b" " * (LARGEST_SET + 1)
        case _:
            host.status, host.headers = 302, {"Location": f"{host.url}/elsewhere"}
    clock.advance(timedelta(seconds=KEPT_FOR - 1))
    for _ in range(3):
        assert find(keys, client, FIRST) == FIRST.verification_key
    assert host.paths == ["/keys", "/keys"], "a cool-down follows a failure, and no redirect is followed"
    clock.advance(timedelta(seconds=1))
    with pytest.raises(ClientKeysUnavailableError):
        find(keys, client, FIRST)
    host.status, host.body = 200, jwks(FIRST)
    clock.advance(timedelta(seconds=COOL_DOWN))
    assert find(keys, client, FIRST) == FIRST.verification_key


def test_without_any_set_the_answer_is_unknown_and_the_host_is_spared(
    keys: ClientKeys, client: Client, host: LoopbackServer, clock: ManualClock
) -> None:
    host.status = 500
    for _ in range(5):
        with pytest.raises(ClientKeysUnavailableError):
            find(keys, client, FIRST)
    assert host.hits == 1


def test_a_private_address_is_never_called(clock: ManualClock, host: LoopbackServer) -> None:
    """Design §9a: by default; an operator can allow a host."""
    keys = ClientKeys(Outbound(), clock)
    with pytest.raises(ClientKeysUnavailableError):
        find(keys, machine(jwks_uri=f"{host.url}/keys"), FIRST)
    assert host.hits == 0


def test_many_at_once_fetch_once_and_few_of_them_wait(keys: ClientKeys, client: Client, host: LoopbackServer) -> None:
    """Or whoever knows the name of a client whose host is slow could occupy every thread of the server."""
    host.gate.clear()
    found: list[VerificationKey | None] = []
    refused: list[Exception] = []

    def look() -> None:
        try:
            found.append(find(keys, client, FIRST))
        except ClientKeysUnavailableError as error:
            refused.append(error)

    threads = [threading.Thread(target=look) for _ in range(1 + MOST_WAITING + 3)]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(refused) == 3, "those who may not wait")
    host.gate.set()
    for thread in threads:
        thread.join(30)
    assert found == [FIRST.verification_key] * (1 + MOST_WAITING)
    assert host.hits == 1


def test_who_has_a_key_is_not_kept_waiting_by_others(
    keys: ClientKeys, client: Client, host: LoopbackServer, clock: ManualClock
) -> None:
    find(keys, client, FIRST)
    clock.advance(timedelta(seconds=MAX_AGE))
    host.gate.clear()
    other = threading.Thread(target=lambda: find(keys, client, FIRST))
    other.start()
    wait_until(lambda: host.hits == 2, "the fetch")
    assert find(keys, client, FIRST) == FIRST.verification_key
    host.gate.set()
    other.join(30)


def test_sets_of_many_clients_fill_no_memory(
    keys: ClientKeys, client: Client, host: LoopbackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("authserver.realm.client_keys.MOST_SETS", 3)
    assert MOST_SETS >= 100
    for number in range(6):
        find(keys, replace(client, jwks_uri=f"{host.url}/{number}"), FIRST)
    assert len(keys._fetched) == 3
    find(keys, replace(client, jwks_uri=f"{host.url}/5"), FIRST)
    assert host.hits == 6


def test_without_a_kid_only_one_key_can_be_meant(clock: ManualClock) -> None:
    keys = ClientKeys(Outbound(), clock)
    client = machine(jwks=jwks(FIRST, *TWINS).decode())
    assert keys.find(client, None, FIRST.algorithm) == FIRST.verification_key
    assert keys.find(client, None, TWINS[0].algorithm) is None
    assert keys.find(client, "twin-2", TWINS[1].algorithm) == TWINS[1].verification_key
    assert keys.find(client, None, algorithm("RS256")) is None


def test_a_client_without_keys_has_none(clock: ManualClock) -> None:
    assert find(ClientKeys(Outbound(), clock), machine(), FIRST) is None
