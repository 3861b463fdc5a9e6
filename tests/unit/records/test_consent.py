"""Whether a user is asked, as far as the client alone decides."""

from datetime import UTC, datetime

import pytest

from authserver.protocol.client_metadata import ClientKind, ConsentRule
from authserver.records.client import Client
from authserver.records.consent import settle_by_client

REGISTERED, ELSEWHERE = "http://127.0.0.1:1/", "http://127.0.0.1:2/"
PUBLIC, NATIVE = ClientKind.PUBLIC, ClientKind.NATIVE


@pytest.mark.parametrize(
    ("kind", "consent", "redirect_uri", "wants_question", "settled"),
    [
        (PUBLIC, ConsentRule.REMEMBER, REGISTERED, False, None),
        (PUBLIC, ConsentRule.NEVER, REGISTERED, False, False),
        (PUBLIC, ConsentRule.ALWAYS, REGISTERED, False, True),
        (PUBLIC, ConsentRule.REMEMBER, REGISTERED, True, True),
        (PUBLIC, ConsentRule.NEVER, REGISTERED, True, True),
        (PUBLIC, ConsentRule.NEVER, ELSEWHERE, False, True),
        (NATIVE, ConsentRule.REMEMBER, REGISTERED, False, True),
    ],
)
def test_what_a_client_settles(
    *, kind: ClientKind, consent: ConsentRule, redirect_uri: str, wants_question: bool, settled: bool | None
) -> None:
    client = Client(
        name="App",
        client_id="app",
        kind=kind,
        secret_digest=None,
        family_version=1,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        disabled_at=None,
        consent=consent,
        redirect_uris=(REGISTERED,),
    )
    assert settle_by_client(client, redirect_uri, wants_question=wants_question) is settled
