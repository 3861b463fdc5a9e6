"""The kit for tests of resource servers: what it makes is good, and what it revokes is refused, by the real checks."""

import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask, g

from authserver.verifier import ClientToken, InvalidToken, UserToken
from authserver.verifier.flask import FlaskVerifier
from authserver.verifier.testing import TokenKit
from tests.support.world.clock import ManualClock
from tests.support.world.tokens import NOW

AUDIENCE = "https://api.example"


@pytest.fixture
def kit() -> TokenKit:
    return TokenKit(AUDIENCE, clock=ManualClock())


def code_of(kit: TokenKit, token: str) -> str | None:
    try:
        kit.verifier.verify(token)
    except InvalidToken as refused:
        return refused.code
    return None


def test_a_token_says_what_was_asked_for(kit: TokenKit) -> None:
    claims = kit.verifier.verify(kit.token(sub="ada", scope="read write", roles=["editor"], acr="2"))
    assert isinstance(claims, UserToken)
    assert (claims.sub, claims.scopes, claims.roles, claims.acr) == (
        "ada",
        frozenset({"read", "write"}),
        ("editor",),
        "2",
    )
    assert (claims.sid, claims.fam, claims.token_version) == ("session-of-ada", "family-of-ada", 1)


def test_a_clients_own_token_has_no_user(kit: TokenKit) -> None:
    claims = kit.verifier.verify(kit.client_token("robot", "read"))
    assert isinstance(claims, ClientToken)
    assert (claims.sub, claims.client_id) == ("robot", "robot")


@pytest.mark.parametrize(
    ("revoke", "code"),
    [
        (lambda kit, _: kit.revoke_user("ada"), "stale_token_version"),
        (lambda kit, _: kit.lock_user("ada"), "user_locked"),
        (lambda kit, _: kit.revoke_session("session-of-ada"), "session_revoked"),
        (lambda kit, _: kit.revoke_family("family-of-ada"), "session_revoked"),
        (lambda kit, token: kit.revoke_token(token), "token_revoked"),
        (lambda kit, _: kit.disable_client(), "client_disabled"),
        (lambda kit, _: kit.compromise_key(), "key_revoked"),
        (lambda kit, _: kit.refuse_issued_before(NOW + 1), "issued_before_floor"),
        (lambda kit, _: kit.lose_feed(), "revocations_unavailable"),
    ],
)
def test_every_revocation_is_seen_at_once(kit: TokenKit, revoke: Callable[[TokenKit, str], None], code: str) -> None:
    token = kit.token("ada")
    assert code_of(kit, token) is None
    revoke(kit, token)
    assert code_of(kit, token) == code


def test_what_comes_after_a_revocation_is_good(kit: TokenKit) -> None:
    kit.revoke_user("ada")
    kit.compromise_key()
    assert code_of(kit, kit.token("ada")) is None
    assert code_of(kit, kit.token("bob")) is None


def test_what_can_be_taken_back_can(kit: TokenKit) -> None:
    token = kit.token("ada")
    for _ in range(2):
        kit.lock_user("ada")
        kit.unlock_user("ada")
        kit.disable_client()
        kit.disable_client(disabled=False)
        kit.lose_feed()
        kit.find_feed()
        assert code_of(kit, token) is None


@pytest.mark.parametrize("soft_logout", [True, False])
def test_the_logout_is_as_soft_as_was_said(kit: TokenKit, soft_logout: bool) -> None:  # noqa: FBT001 - a table
    token = kit.token("ada")
    kit.revoke_user("ada", soft_logout=soft_logout)
    with pytest.raises(InvalidToken) as refused:
        kit.verifier.verify(token)
    assert refused.value.soft_logout is soft_logout


def test_old_and_broken_tokens_can_be_made(kit: TokenKit) -> None:
    assert code_of(kit, kit.token(age=329)) is None
    assert code_of(kit, kit.token(age=330)) == "expired"
    assert code_of(kit, kit.token(aud="https://other.example")) == "wrong_audience"
    assert code_of(kit, kit.token(sid=None)) == "missing_claim"
    assert code_of(kit, kit.token(token_version="1")) == "invalid_claim"


def test_time_is_the_tests() -> None:
    clock = ManualClock()
    kit = TokenKit(AUDIENCE, clock=clock)
    token = kit.token()
    clock.advance(timedelta(seconds=330))
    assert code_of(kit, token) == "expired"
    assert code_of(kit, kit.token()) is None


def test_two_kits_do_not_trust_each_other() -> None:
    assert code_of(TokenKit(AUDIENCE), TokenKit(AUDIENCE).token()) == "bad_signature"


def test_it_fits_into_the_tests_of_an_application() -> None:
    """As docs/resource-servers.md shows it."""
    kit = TokenKit(AUDIENCE)
    app = Flask(__name__)
    auth = FlaskVerifier(kit.verifier, app)

    @app.get("/notes")
    @auth.require_token(scope="read")
    def notes() -> dict[str, str]:
        return {"owner": g.token.sub}

    client, token = app.test_client(), kit.token("ada", scope="read")
    assert client.get("/notes", headers=kit.bearer(token)).json == {"owner": "ada"}
    kit.revoke_user("ada")
    assert client.get("/notes", headers=kit.bearer(token)).status_code == 401


def test_it_needs_nothing_that_the_verifier_does_not_need() -> None:
    script = "import sys, authserver.verifier.testing\nassert not {'flask', 'pytest', 'sqlalchemy'} & set(sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False, timeout=60).returncode == 0
