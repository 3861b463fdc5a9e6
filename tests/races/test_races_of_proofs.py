"""One DPoP proof shown by many at once: `jti` x `jti`, at several nodes (RFC 9449 §11.1)."""

from functools import partial

import pytest

from authserver.authentication.bearer import Bearer, authenticate_bearer
from authserver.protocol.dpop_request import DpopRequest
from authserver.protocol.oauth_error import OAuthError
from authserver.realm import Realm
from authserver.tokens.token_answer import TokenAnswer
from tests.support.faults.racing import race
from tests.support.people.refreshing import open_device, refresh
from tests.support.world.proofs import ProofKey
from tests.support.world.realm import ISSUER, add_user

pytestmark = pytest.mark.races
THREADS = 16


def test_of_many_uses_of_one_proof_one_counts(crowded: Realm, rounds: int) -> None:
    """ASVS 10.4.14: 16 threads refresh with one proof, or call with one; the others are refused, and nothing ends."""
    add_user(crowded)
    key, url, account = ProofKey(), f"{ISSUER}/oauth/token", f"{ISSUER}/api/account"

    def request(method: str, url: str, token: str | None = None) -> DpopRequest:
        return DpopRequest(method, url, key.prove(method, url, crowded.clock.seconds(), token))

    held = open_device(crowded, dpop=request("POST", url))
    for _ in range(rounds // 5):
        http = request("POST", url)
        answers = race(*[partial(refresh, crowded, held.refresh_token, http=http)] * THREADS)
        (held,) = [answer for answer in answers if isinstance(answer, TokenAnswer)]
        assert {answer.error for answer in answers if isinstance(answer, OAuthError)} == {"invalid_dpop_proof"}
        http = request("GET", account, held.access_token)
        bearers = race(*[partial(authenticate_bearer, crowded, held.access_token, http)] * THREADS)
        assert sum(isinstance(bearer, Bearer) for bearer in bearers) == 1
