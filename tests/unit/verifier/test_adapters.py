"""What the adapters of all frameworks promise alike: who is let in, and how the others are answered."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from authserver.jose.algorithms import ALGORITHMS
from authserver.verifier import Verifier
from tests.support.wire.adapters import HOST, SERVERS, Ask
from tests.support.wire.loopback import LoopbackServer, running_server
from tests.support.world.clock import ManualClock
from tests.support.world.tokens import AUDIENCE, ISSUER, jwks, make_pair, user_claims

PAIR = make_pair("k", "EdDSA")
METADATA = f'resource_metadata="https://{HOST}/.well-known/oauth-protected-resource/api"'


@pytest.fixture
def issuer() -> Iterator[LoopbackServer]:
    with running_server() as server:
        server.body = jwks(PAIR)
        yield server


@pytest.fixture(params=SERVERS)
def ask(request: pytest.FixtureRequest, issuer: LoopbackServer, clock: ManualClock) -> Ask:
    return SERVERS[request.param](Verifier(ISSUER, AUDIENCE, jwks_uri=issuer.url, clock=clock))


def bearer(**changes: object) -> str:
    return f"Bearer {PAIR.token(user_claims(**changes))}"


def test_a_good_token_reaches_the_route_with_its_claims(ask: Ask) -> None:
    for path in ("/any", "/notes"):
        said = ask(path, bearer())
        assert (said.status, said.json) == (200, {"sub": "user-1"})
    assert ask("/any", bearer().replace("Bearer", "bEARER")).status == 200


def test_an_open_route_needs_nothing(ask: Ask) -> None:
    assert ask("/open").json == {"sub": None}


def test_a_token_that_was_seen_is_let_in_again_and_one_that_has_expired_meanwhile_is_not(
    ask: Ask, clock: ManualClock
) -> None:
    """ASVS 9.2.1; design §6: a soft logout, in the header and in the body."""
    token = bearer()
    assert [ask("/any", token).status for _ in range(2)] == [200, 200]
    clock.advance(timedelta(hours=1))
    said = ask("/any", token)
    assert said.status == 401
    assert said.headers["www-authenticate"] == f'Bearer error="invalid_token", soft_logout="true", {METADATA}'
    assert said.headers["cache-control"] == "no-store"
    assert said.json == {
        "error": "invalid_token",
        "error_description": "The access token has expired.",
        "soft_logout": True,
    }


@pytest.mark.parametrize("authorization", [None, "", "Basic YTpi", "Mac x"])
def test_no_credentials_are_challenged_without_an_error_code(ask: Ask, authorization: str | None) -> None:
    """RFC 6750 §3, §3.1; RFC 9728 §5.1."""
    said = ask("/any", authorization)
    assert (said.status, said.headers["www-authenticate"], said.json) == (401, f"Bearer {METADATA}", {})


@pytest.mark.parametrize("authorization", ["Bearer", "Bearer ", "Bearer x", "Bearer a b", "Bearer \xe9"])
def test_unreadable_credentials_are_an_invalid_token(ask: Ask, authorization: str) -> None:
    """RFC 6750 §3.1."""
    said = ask("/any", authorization)
    assert (said.status, said.headers["www-authenticate"]) == (401, f'Bearer error="invalid_token", {METADATA}')


def test_a_token_anywhere_else_than_in_the_header_is_not_seen(ask: Ask) -> None:
    """RFC 6750 §2; OAuth 2.1 5.1: one transport, and never one that ends in logs."""
    token = PAIR.token(user_claims())
    said = ask(f"/any?access_token={token}")
    assert (said.status, said.headers["www-authenticate"]) == (401, f"Bearer {METADATA}")
    said = ask("/notes", method="POST", form=f"access_token={token}")
    assert (said.status, said.headers["www-authenticate"]) == (401, f'Bearer scope="read", {METADATA}')


def test_a_challenge_names_the_scope_that_the_route_demands(ask: Ask) -> None:
    """RFC 6750 §3: a client that has to sign in asks for this scope, and not for all that it may have."""
    assert ask("/notes").headers["www-authenticate"] == f'Bearer scope="read", {METADATA}'
    assert ask("/notes", "Bearer x").headers["www-authenticate"] == (
        f'Bearer error="invalid_token", scope="read", {METADATA}'
    )


TOKEN = PAIR.token(user_claims())
TWO_TOKENS: tuple[dict[str, str], ...] = (
    {"authorization": f"Bearer {TOKEN},Bearer {TOKEN}"},
    {"authorization": f"Bearer {TOKEN}, Basic YTpi"},
    {"authorization": f"Bearer {TOKEN}", "path": "/notes?access_token=x"},
    {"authorization": f"Bearer {TOKEN}", "path": "/notes?a=b&access%5Ftoken=x"},
    {"authorization": f"Bearer {TOKEN}", "method": "POST", "form": f"access_token={TOKEN}"},
    {"authorization": f"Bearer {TOKEN}", "method": "POST", "form": "a=b&access%5ftoken=x"},
    {"path": "/notes?access_token=x&access_token=y"},
)


@pytest.mark.parametrize("request_", TWO_TOKENS)
def test_two_tokens_are_an_invalid_request(ask: Ask, request_: dict[str, str]) -> None:
    """RFC 6750 §2, §3.1: nobody can say for whom such a request acts."""
    said = ask(**{"path": "/notes", **request_})
    assert (said.status, said.json["error"]) == (400, "invalid_request")
    assert said.headers["www-authenticate"] == f'Bearer error="invalid_request", {METADATA}'


@pytest.mark.parametrize("form", ["a=b&access_token=", "my_access_token=x", f"a={'b' * 70_000}&access_token=x"])
def test_a_form_that_was_looked_at_reaches_its_view_whole(ask: Ask, form: str) -> None:
    """An empty parameter counts as absent (RFC 6749 §3.1), and what is longer than 64 KiB is left to the view."""
    assert ask("/body", bearer(), "POST", form).json == {"body": form}


def test_nobody_without_a_good_token_makes_the_server_read_a_form(ask: Ask) -> None:
    assert ask("/body", "Bearer x", "POST", "access_token=y").status == 401


def test_a_missing_scope_is_forbidden(ask: Ask) -> None:
    """ASVS 10.3.2; RFC 6750 §3.1."""
    said = ask("/notes", bearer(scope="openid"))
    assert said.status == 403
    assert said.headers["www-authenticate"] == f'Bearer error="insufficient_scope", scope="read", {METADATA}'


def test_a_weak_sign_in_is_sent_to_a_stronger_one(ask: Ask) -> None:
    """RFC 9470 §3."""
    said = ask("/payment", bearer())
    challenge = 'Bearer error="insufficient_user_authentication", max_age="60", acr_values="2", soft_logout="true"'
    assert (said.status, said.headers["www-authenticate"]) == (401, f"{challenge}, {METADATA}")


def test_missing_keys_are_nobodys_fault(ask: Ask, issuer: LoopbackServer) -> None:
    issuer.status = 500
    said = ask("/any", bearer())
    assert (said.status, said.headers["retry-after"]) == (503, "5")
    assert "www-authenticate" not in said.headers


def test_a_post_is_guarded_as_well(ask: Ask) -> None:
    assert ask("/notes", method="POST").status == 401
    assert ask("/notes", bearer(), method="POST").status == 200


@pytest.mark.parametrize("path", ["/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/api"])
def test_the_metadata_name_resource_and_issuer(ask: Ask, path: str) -> None:
    """RFC 9728 §2, §3.1: at the well-known place, also with the path of the resource after it."""
    said = ask(path)
    assert said.status == 200
    assert said.headers["content-type"] == "application/json"
    assert said.headers["access-control-allow-origin"] == "*"
    assert said.json == {
        "resource": AUDIENCE,
        "authorization_servers": [ISSUER],
        "bearer_methods_supported": ["header"],
        "dpop_signing_alg_values_supported": [algorithm.name for algorithm in ALGORITHMS],
    }
