"""The example of a web application, before a server that lies: whatever does not fit signs nobody in."""

import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.people.visitor import Visitor
from tests.support.wire.http import Answer, HttpClient
from tests.support.wire.lying_server import CLIENT_ID, LyingServer, running_lying_server
from tests.support.wire.web_client import WebClient, running_web_client
from tests.support.world.logout_tokens import FORGERIES, make_logout_token
from tests.support.world.processes import free_port
from tests.support.world.tokens import ABSENT, Members, make_pair

ELSEWHERE = "https://other.example"


def name_lie(lie: Members) -> str:
    """The same in each process."""
    return ", ".join(f"{name} {'absent' if value is ABSENT else value}" for name, value in lie.items())


@pytest.fixture(scope="module")
def running() -> Iterator[LyingServer]:
    with running_lying_server() as liar:
        yield liar


@pytest.fixture(scope="module")
def client(running: LyingServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebClient]:
    """One for all tests here: each has a browser of its own."""
    with running_web_client(
        running.url, free_port(), CLIENT_ID, "its secret", tmp_path_factory.mktemp("client")
    ) as client:
        yield client


@pytest.fixture
def liar(running: LyingServer) -> LyingServer:
    """Without lies so far; its key stays the one that the client has read."""
    liar = LyingServer(running.server, running.pair)
    running.server.answer = liar.reply
    return liar


@pytest.fixture
def visitor() -> Iterator[Visitor]:
    with Visitor() as visitor:
        yield visitor


def assert_nobody_is_signed_in(client: WebClient, visitor: Visitor) -> None:
    assert visitor.page.status in {400, 502}
    assert b"You are not signed in" in visitor.visit(f"{client.url}/").body


def tell(client: WebClient, token: str) -> Answer:
    """What the client answers to a logout token."""
    with HttpClient(urlsplit(client.url).port or 0) as http:
        return http.post_form("/backchannel-logout", logout_token=token)


def test_the_truth_is_believed(liar: LyingServer, client: WebClient, visitor: Visitor) -> None:
    """What the other tests change signs somebody in as it is."""
    assert b"Hello, Ada" in visitor.visit(f"{client.url}/login").body
    (redeemed,) = liar.asked_for
    assert (redeemed["grant_type"], redeemed["redirect_uri"]) == ("authorization_code", client.callback)
    assert len(redeemed["code_verifier"]) >= 43


@pytest.mark.parametrize(
    "lie",
    [
        {"state": "another one"},
        {"state": ABSENT},
        {"state": ""},
        {"iss": ELSEWHERE},
        {"iss": ABSENT},
        {"iss": ELSEWHERE, "error": "access_denied"},
    ],
    ids=name_lie,
)
def test_an_answer_that_may_be_forged_is_not_even_redeemed(
    liar: LyingServer, client: WebClient, visitor: Visitor, lie: Members
) -> None:
    """ASVS 10.2.1 by `state`; ASVS 10.2.2, RFC 9207 §2, §2.4 by `iss`: a code goes to no server that is not its own."""
    liar.answer = lie
    visitor.visit(f"{client.url}/login")
    assert_nobody_is_signed_in(client, visitor)
    assert liar.asked_for == []


@pytest.mark.parametrize(
    "lie",
    [
        {"nonce": "of another transaction"},
        {"nonce": ABSENT},
        {"aud": "another client"},
        {"aud": "another client", "azp": CLIENT_ID},
        {"aud": [CLIENT_ID], "azp": "another client"},
        {"aud": ABSENT},
        {"iss": ELSEWHERE},
        {"iss": ABSENT},
        {"exp": 1},
    ],
    ids=name_lie,
)
def test_an_id_token_for_another_purpose_is_refused(
    liar: LyingServer, client: WebClient, visitor: Visitor, lie: Members
) -> None:
    """ASVS 10.5.1 by `nonce`; ASVS 10.5.4, OIDC Core §3.1.3.7 by `aud`, `azp`, `iss` and `exp`."""
    liar.claims = lie
    visitor.visit(f"{client.url}/login")
    assert_nobody_is_signed_in(client, visitor)


def test_an_id_token_that_the_issuer_did_not_sign_is_refused(
    liar: LyingServer, client: WebClient, visitor: Visitor
) -> None:
    """OIDC Core §3.1.3.7."""
    liar.signing = make_pair("k", "ES256")
    visitor.visit(f"{client.url}/login")
    assert_nobody_is_signed_in(client, visitor)


def test_without_an_id_token_nobody_is_signed_in(liar: LyingServer, client: WebClient, visitor: Visitor) -> None:
    """ASVS 10.5.1: an answer that could be anybody's."""
    liar.tokens = {"id_token": ABSENT}
    visitor.visit(f"{client.url}/login")
    assert_nobody_is_signed_in(client, visitor)


def test_userinfo_about_somebody_else_is_not_shown(liar: LyingServer, client: WebClient, visitor: Visitor) -> None:
    """ASVS 10.5.2, OIDC Core §5.3.2: the user is whom the ID token named."""
    liar.person = {"sub": "user-2"}
    assert visitor.visit(f"{client.url}/login").status == 502
    assert b"Ada" not in visitor.page.body


def test_metadata_of_another_issuer_lead_nowhere(visitor: Visitor, tmp_path: Path) -> None:
    """ASVS 10.5.3: nobody is sent to what they name; the client has not read them before."""
    with running_lying_server() as liar:
        liar.metadata = {"issuer": ELSEWHERE}
        with running_web_client(liar.url, free_port(), CLIENT_ID, "its secret", tmp_path) as client:
            assert visitor.visit(f"{client.url}/login").status == 502
    assert "/authorize" not in " ".join(liar.server.paths)


def test_a_forged_answer_ends_no_session(liar: LyingServer, client: WebClient, visitor: Visitor) -> None:
    """ASVS 10.2.1: whoever makes a browser load one does no harm with it."""
    visitor.visit(f"{client.url}/login")
    assert visitor.visit(f"{client.callback}?code=c&state=s&iss={liar.url}").status == 400
    assert b"Hello, Ada" in visitor.visit(f"{client.url}/").body


@pytest.mark.parametrize("name", FORGERIES)
def test_only_a_logout_token_of_the_server_ends_a_session(
    liar: LyingServer, client: WebClient, visitor: Visitor, name: str
) -> None:
    """ASVS 10.5.5: by type, signature, issuer, audience, times, event and session, and without a nonce."""
    liar.claims = {"sid": "sid-1"}
    visitor.visit(f"{client.url}/login")
    token = make_logout_token(liar.pair, liar.url, CLIENT_ID, time.time(), FORGERIES[name])
    assert tell(client, token).status == 400
    assert b"Hello, Ada" in visitor.visit(f"{client.url}/").body


def test_a_logout_token_ends_the_session_that_it_names_alone(
    liar: LyingServer, client: WebClient, visitor: Visitor
) -> None:
    """Back-Channel Logout §2.7: whatever the server still says of the user; a session of another `sid` lives on."""
    liar.claims = {"sid": "sid-2"}
    with Visitor() as elsewhere:
        elsewhere.visit(f"{client.url}/login")
        liar.claims = {"sid": "sid-1"}
        visitor.visit(f"{client.url}/login")
        token = make_logout_token(liar.pair, liar.url, CLIENT_ID, time.time())
        told = tell(client, token)
        assert (told.status, told.headers["cache-control"]) == (200, "no-store")
        assert b"You were signed out." in visitor.visit(f"{client.url}/").body
        assert b"You are not signed in." in visitor.visit(f"{client.url}/").body
        assert b"Hello, Ada" in elsewhere.visit(f"{client.url}/").body


def test_a_token_is_refreshed_before_it_expires(liar: LyingServer, client: WebClient, visitor: Visitor) -> None:
    """And what comes back is what is used from then on."""
    liar.tokens = {"expires_in": 30}
    visitor.visit(f"{client.url}/login")
    liar.tokens = {"refresh_token": "the next one"}
    for _ in range(2):
        assert b"Hello, Ada" in visitor.visit(f"{client.url}/").body
    used = [form.get("refresh_token") for form in liar.asked_for]
    assert used == [None, "a refresh token", "a refresh token"], "the last one is good for five minutes"
