"""The proofs of `tests/vectors/dpop_proofs.json`, walked over HTTP at the token endpoint and at userinfo."""

from tests.support.people.api import Api
from tests.support.people.dpop import ISSUER, DpopDevice
from tests.support.people.refreshing import REST
from tests.support.world.clock import ManualClock
from tests.support.world.proofs import ACCEPT, read_recipes

RECIPES = read_recipes()
_TOKEN, _USERINFO = "/oauth/token", "/oauth/userinfo"


def test_there_are_enough_bad_proofs() -> None:
    assert sum(recipe.at_resource != ACCEPT for recipe in RECIPES) >= 60


def test_each_proof_is_answered_as_expected_at_the_token_endpoint(api: Api, clock: ManualClock, user_id: str) -> None:
    """RFC 9449 §4.3, §5, ASVS 10.4.14: a bound refresh token survives every try with a wrong proof."""
    device = DpopDevice(api, clock)
    found = {}
    for recipe in RECIPES:
        proof = recipe.make(device.key, "POST", f"{ISSUER}{_TOKEN}", clock.seconds(), device.tokens["access_token"])
        response = device.post_refresh(proof)
        assert response.status_code in {200, 400}, recipe.name
        assert response.headers["Cache-Control"] == "no-store"
        assert "DPoP-Nonce" not in response.headers
        found[recipe.name] = ACCEPT if response.status_code == 200 else response.get_json()["error"]
    assert found == {recipe.name: recipe.at_token for recipe in RECIPES}
    assert device.refresh()["token_type"] == "DPoP"
    clock.advance(REST)
    last = device.tokens["refresh_token"]
    assert device.refresh()["refresh_token"] != last, "the family lives, and goes on"


def test_each_proof_is_answered_as_expected_at_userinfo(api: Api, clock: ManualClock, user_id: str) -> None:
    """RFC 9449 §4.3, §7.1, ASVS 10.3.5."""
    device = DpopDevice(api, clock)
    token = device.tokens["access_token"]
    found = {}
    for recipe in RECIPES:
        proof = recipe.make(device.key, "GET", f"{ISSUER}{_USERINFO}", clock.seconds(), token)
        response = api.client.get(_USERINFO, headers={"Authorization": f"DPoP {token}", "DPoP": proof.strip("\n")})
        assert response.status_code in {200, 401}, recipe.name
        error = response.get_json().get("error", ACCEPT)
        if error != ACCEPT:
            challenge = f'DPoP error="{error}", soft_logout="true", algs="ES256 EdDSA RS256"'
            assert response.headers["WWW-Authenticate"] == challenge
            assert response.get_json()["soft_logout"] is True
        found[recipe.name] = error
    wrong = {"wrong_binding": "invalid_token"}
    assert found == {recipe.name: wrong.get(recipe.at_resource, recipe.at_resource) for recipe in RECIPES}
