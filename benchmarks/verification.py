"""Verification of access tokens on one thread, compared with PyJWT's `decode` with a key object."""

import statistics
import time
from collections.abc import Callable

import jwt

from authserver.verifier import Verifier
from benchmarks.table import Line, Target
from tests.support.wire.loopback import running_server
from tests.support.world.tokens import AUDIENCE, SigningPair, jwks, make_pair, user_claims

ALGORITHMS = ("ES256", "EdDSA", "RS256")
FIRST_TARGET = Target("≤", 1.3)
AGAIN_TARGET = Target("≤", 3, "µs")
TIMES_TARGET = Target("≥", 30)
_TOKENS = 100
"""The number of different tokens that are verified in one slice."""
_LIFETIME = 300


def measure_verification(*, slices: int) -> list[Line]:
    """Measure the first and the later verifications of a token, for each algorithm."""
    return [line for name in ALGORITHMS for line in _measure(make_pair("bench", name), slices)]


def _measure(pair: SigningPair, slices: int) -> list[Line]:
    firsts, repeats, decodes = [], [], []
    public_key = pair.verification_key.public_key
    algorithms = [pair.algorithm.name]

    def decode(token: str) -> object:
        return jwt.decode(token, public_key, algorithms=algorithms, audience=AUDIENCE, issuer=issuer)

    with running_server() as server:
        server.body = jwks(pair)
        issuer = server.url
        for number in range(slices):
            tokens = [_issue(pair, issuer, f"{number}-{one}") for one in range(_TOKENS)]
            verifier = Verifier(issuer, AUDIENCE)
            verifier.verify(_issue(pair, issuer, "fetches the keys"))
            firsts.append(_time_each(verifier.verify, tokens))
            decodes.append(_time_each(decode, tokens))
            repeats.append(_time_each(verifier.verify, tokens * 10))
    name = pair.algorithm.name
    again, floor = statistics.median(repeats), f"PyJWT decode: {statistics.median(decodes):.1f} µs"
    return [
        Line(
            f"verify, {name}, first time",
            f"{statistics.median(firsts):.1f} µs",
            floor,
            _compare(firsts, decodes),
            target=FIRST_TARGET,
        ),
        Line(f"verify, {name}, again", f"{again:.1f} µs", value=again, target=AGAIN_TARGET),
        Line("… how often during one decode", "", floor, _compare(decodes, repeats), target=TIMES_TARGET),
    ]


def _issue(pair: SigningPair, issuer: str, token_id: str) -> str:
    now = int(time.time())
    return pair.token(user_claims(iss=issuer, iat=now, exp=now + _LIFETIME, auth_time=now, jti=token_id))


def _time_each(verify: Callable[[str], object], tokens: list[str]) -> float:
    """Measure one call, in microseconds."""
    began = time.perf_counter()
    for token in tokens:
        verify(token)
    return (time.perf_counter() - began) / len(tokens) * 1e6


def _compare(ours: list[float], floor: list[float]) -> float:
    """Compute the median ratio of slices that follow each other, so that a slow minute of the machine affects both."""
    return statistics.median(a / b for a, b in zip(ours, floor, strict=True))
