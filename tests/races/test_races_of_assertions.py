"""One client assertion, shown by many at once on two nodes (RFC 7523 §3: `jti`)."""

from dataclasses import replace
from functools import partial

import pytest

from authserver.clients.authentication import authenticate_client
from authserver.clients.presented_client import read_client
from authserver.protocol.client_metadata import TOKEN_PATH
from authserver.protocol.oauth_error import OAuthError
from authserver.realm import Realm
from authserver.realm.client_registry import ClientRegistry
from authserver.records.client import Client
from tests.support.faults.racing import race
from tests.support.people.machine import KeyedClient, make_client_pair, register_keyed

pytestmark = pytest.mark.races
THREADS = 8


def _authenticate(node: Realm, client: KeyedClient, assertion: str) -> Client | OAuthError:
    presented = read_client(None, client.proof(assertion), TOKEN_PATH)
    assert not isinstance(presented, OAuthError)
    return authenticate_client(node, presented)


def test_a_jti_authenticates_once_on_all_nodes_together(crowded: Realm, rounds: int) -> None:
    """ASVS 10.4.16: 16 requests with one jti, half of them with another assertion, on two nodes; one gets through."""
    client = register_keyed(crowded, make_client_pair("k", "EdDSA"))
    other_node = replace(crowded, clients=ClientRegistry(crowded.database, crowded.clock))
    for number in range(rounds // 5):
        same, otherwise = (client.assertion(jti=f"jti-{number}", colour=colour) for colour in ("red", "blue"))
        acts = [partial(_authenticate, crowded, client, same), partial(_authenticate, other_node, client, otherwise)]
        outcomes = race(*acts * THREADS)
        assert sum(isinstance(outcome, Client) for outcome in outcomes) == 1
        refused = [outcome for outcome in outcomes if isinstance(outcome, OAuthError)]
        assert {outcome.reason for outcome in refused} == {"client assertion: jti was used before"}
