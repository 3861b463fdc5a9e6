"""Confidential clients whose library sends no PKCE (OAuth 2.1 §7.5.1), and what keeps their codes from strangers."""

import pytest

from authserver.clients.register_client import update_client
from authserver.protocol.client_metadata import ClientKind, PkceRule
from authserver.realm import Realm
from authserver.realm.outcomes import Invalid
from tests.support.people.api import Api
from tests.support.people.authorizing import VERIFIER, App, answered, claims_of, register_app
from tests.support.people.pages import Pages

NO_PKCE = {"code_challenge": None, "code_challenge_method": None}


@pytest.fixture
def app(realm: Realm, api: Api, pages: Pages) -> App:
    """A confidential client that may go without PKCE."""
    registered = register_app(realm, kind=ClientKind.CONFIDENTIAL, pkce=PkceRule.OPTIONAL)
    assert registered.secret is not None
    return App(pages, api, registered.client.client_id, registered.secret.reveal())


def test_a_nonce_takes_the_place_of_a_challenge(app: App) -> None:
    tokens = app.redeem(app.authorize(**NO_PKCE, nonce="n-1"), code_verifier=None)
    assert tokens.status_code == 200, tokens.text
    assert tokens.json is not None
    assert claims_of(tokens.json["id_token"])["nonce"] == "n-1"


def test_with_a_challenge_it_is_as_everywhere(app: App) -> None:
    """ASVS 10.4.6: a client that sent a challenge has to prove it."""
    code = app.authorize(nonce="n-1")
    for wrong in (None, VERIFIER[:-1] + "2"):
        refused = app.redeem(code, code_verifier=wrong)
        assert (refused.status_code, refused.json and refused.json["error"]) == (400, "invalid_grant")
    assert app.redeem(code).status_code == 200


def test_a_verifier_for_a_code_without_challenge_is_refused(app: App) -> None:
    """RFC 9700 §2.1.1, §4.8.2: somebody has cut the challenge off the request."""
    code = app.authorize(**NO_PKCE, nonce="n-1")
    refused = app.redeem(code)
    assert (refused.status_code, refused.json and refused.json["error"]) == (400, "invalid_grant")
    assert app.redeem(code, code_verifier=None).status_code == 200


@pytest.mark.parametrize(
    "request_without",
    [
        {"nonce": None},
        {"nonce": "n", "scope": "read"},
        {"nonce": "n", "code_challenge_method": "S256"},
        {"nonce": "n", "code_challenge": "x"},
        {"nonce": "n", "code_challenge": VERIFIER, "code_challenge_method": "plain"},
    ],
)
def test_a_request_with_neither_or_half_of_it_gets_no_code(app: App, request_without: dict[str, str | None]) -> None:
    """ASVS 10.4.6: nonce and `openid` go together; a malformed challenge is not none."""
    app.authorize(nonce="n")
    assert answered(app.send(**{**NO_PKCE, **request_without}))["error"] == "invalid_request"


@pytest.mark.parametrize("scope", ["openid", "read"])
def test_a_client_with_a_waiver_needs_neither(realm: Realm, app: App, scope: str) -> None:
    """OpenID Connect Core §3.1.2.1; `oidcc-ensure-request-without-nonce-succeeds-for-code-flow` of the OIDF suite."""
    changed = update_client(realm, app.client_id, {"pkce": PkceRule.WAIVED, "scope": ("openid", "read")})
    assert not isinstance(changed, Invalid)
    tokens = app.redeem(app.authorize(**NO_PKCE, nonce=None, scope=scope), code_verifier=None)
    assert tokens.status_code == 200, tokens.text


def test_a_waiver_does_not_release_from_a_challenge_that_was_sent(realm: Realm, app: App) -> None:
    """ASVS 10.4.6, RFC 9700 §4.8.2: a code with a challenge needs the verifier, one without refuses each."""
    assert not isinstance(update_client(realm, app.client_id, {"pkce": PkceRule.WAIVED}), Invalid)
    bound, unbound = app.authorize(), app.authorize(**NO_PKCE)
    for code, verifier in ((bound, None), (bound, VERIFIER[:-1] + "2"), (unbound, VERIFIER)):
        refused = app.redeem(code, code_verifier=verifier)
        assert (refused.status_code, refused.json and refused.json["error"]) == (400, "invalid_grant")
    assert answered(app.send(code_challenge="x"))["error"] == "invalid_request"


@pytest.mark.parametrize("rule", [PkceRule.OPTIONAL, PkceRule.WAIVED])
@pytest.mark.parametrize("kind", [ClientKind.PUBLIC, ClientKind.NATIVE, ClientKind.CONFIDENTIAL])
def test_whoever_was_not_registered_so_needs_pkce(
    realm: Realm, api: Api, pages: Pages, kind: ClientKind, rule: PkceRule
) -> None:
    """OAuth 2.1 §7.5.1: never a public client."""
    registered = register_app(realm, kind=kind, first_party=True)
    app = App(pages, api, registered.client.client_id, registered.secret and registered.secret.reveal())
    assert answered(app.send(**NO_PKCE, nonce="n"))["error"] == "invalid_request"
    changed = update_client(realm, app.client_id, {"pkce": rule})
    assert isinstance(changed, Invalid) == kind.is_public


# --- redirect_uri at the token endpoint ------------------------------------------------------------------------------


def test_a_code_with_a_challenge_needs_no_redirect_uri(app: App) -> None:
    """OAuth 2.1 §4.1.3: the challenge makes it superfluous; it is compared where it comes."""
    code = app.authorize(nonce="n")
    wrong = app.redeem(code, redirect_uri="https://app.example/other")
    assert (wrong.status_code, wrong.json and wrong.json["error"]) == (400, "invalid_grant")
    assert app.redeem(code, redirect_uri=None).status_code == 200


def test_a_code_without_challenge_needs_its_redirect_uri(app: App) -> None:
    """RFC 6749 §4.1.3."""
    code = app.authorize(**NO_PKCE, nonce="n")
    refused = app.redeem(code, redirect_uri=None, code_verifier=None)
    assert (refused.status_code, refused.json and refused.json["error"]) == (400, "invalid_grant")
    assert app.redeem(code, code_verifier=None).status_code == 200
