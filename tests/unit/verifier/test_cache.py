"""The memory of verified tokens: how large it gets."""

import gc
import tracemalloc

from authserver.protocol.entropy import new_id
from authserver.verifier.testing import TokenKit
from tests.support.world.entropy import SeededEntropy
from tests.support.world.tokens import NOW

COUNT = 2_000


def test_a_verified_token_takes_at_most_six_hundred_bytes() -> None:
    """Tokens as this server issues them, each of another user, session and family."""
    kit, entropy = TokenKit(["https://auth.example", "https://auth.example/api"]), SeededEntropy()
    tokens = [
        kit.token(
            new_id(entropy),
            "openid profile email",
            sid=new_id(entropy),
            fam=new_id(entropy),
            jti=new_id(entropy),
            auth_time=NOW - number,
        )
        for number in range(COUNT)
    ]
    kit.verifier.verify(kit.token())
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for token in tokens:
            kit.verifier.verify(token)
        gc.collect()
        per_token = (tracemalloc.get_traced_memory()[0] - before) / COUNT
    finally:
        tracemalloc.stop()
    assert per_token <= 600
