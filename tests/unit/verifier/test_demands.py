"""Scope, recent sign-in, strong sign-in."""

from dataclasses import replace

import pytest

from authserver.protocol.claims import AccessTokenClaims, ClientToken, UserToken
from authserver.verifier import InvalidToken
from authserver.verifier.demands import Demand
from tests.support.world.tokens import NOW

CLAIMS = UserToken(
    iss="i", sub="u", aud=("a",), exp=NOW + 300, iat=NOW, jti="j", client_id="c", scope="read write",
    sid="s", fam="f", token_version=1, auth_time=NOW - 100, acr="2",
)  # fmt: skip
OF_A_CLIENT = ClientToken(iss="i", sub="c", aud=("a",), exp=NOW + 300, iat=NOW, jti="j", client_id="c", scope="read")


def refusal_of(demand: Demand, claims: AccessTokenClaims = CLAIMS) -> InvalidToken:
    with pytest.raises(InvalidToken) as refused:
        demand.check(claims, now=NOW, leeway=30)
    return refused.value


@pytest.mark.parametrize(
    "demand",
    [
        *(Demand(), Demand(scope="read"), Demand(scope="write read"), Demand(max_age=100), Demand(max_age=70)),
        *(Demand(acr="2"), Demand(acr="1 2 3"), Demand("read", 100, "2")),
    ],
)
def test_a_demand_that_is_met_passes(demand: Demand) -> None:
    demand.check(CLAIMS, now=NOW, leeway=30)


def test_a_sign_in_that_is_still_to_come_is_not_recent() -> None:
    """The issuer's clock was wrong when it happened."""
    ahead = replace(CLAIMS, auth_time=NOW + 3600)
    assert refusal_of(Demand(max_age=600), ahead).code == "insufficient_user_authentication"
    Demand().check(ahead, now=NOW, leeway=30)


@pytest.mark.parametrize("scope", ["admin", "read admin", "rea", "READ", "readwrite"])
def test_a_missing_scope_is_named(scope: str) -> None:
    """RFC 6750 §3.1."""
    refusal = refusal_of(Demand(scope=scope))
    assert refusal.code == "insufficient_scope"
    assert refusal.www_authenticate == f'Bearer error="insufficient_scope", scope="{scope}"'


@pytest.mark.parametrize(
    "demand", [Demand(max_age=69), Demand(max_age=0), Demand(acr="3"), Demand(acr="22"), Demand(max_age=100, acr="3")]
)
def test_an_old_or_weak_sign_in_asks_for_another(demand: Demand) -> None:
    """RFC 9470 §3; ASVS 10.3.4."""
    assert refusal_of(demand).code == "insufficient_user_authentication"


def test_the_challenge_says_what_sign_in_is_needed() -> None:
    """RFC 9470 §3."""
    assert refusal_of(Demand(max_age=5, acr="3 4")).www_authenticate == (
        'Bearer error="insufficient_user_authentication", max_age="5", acr_values="3 4", soft_logout="true"'
    )


@pytest.mark.parametrize("demand", [Demand(max_age=10**9), Demand(acr="1")])
def test_a_token_that_says_nothing_about_sign_in_never_meets_a_demand_on_it(demand: Demand) -> None:
    assert refusal_of(demand, OF_A_CLIENT).code == "insufficient_user_authentication"


@pytest.mark.parametrize("value", ["", " ", 'a"b', "a\\b", "a\nb", "é"])
def test_what_cannot_stand_in_a_header_is_refused_at_once(value: str) -> None:
    with pytest.raises(ValueError, match="space-separated"):
        Demand(scope=value)
    with pytest.raises(ValueError, match="space-separated"):
        Demand(acr=value)


def test_a_negative_age_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="max_age"):
        Demand(max_age=-1)
