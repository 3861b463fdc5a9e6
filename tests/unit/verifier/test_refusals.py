"""What a resource server answers, code by code."""

import pickle
from typing import get_args

import pytest

from authserver.verifier import InvalidToken
from authserver.verifier.refusals import ANSWERS, RefusalCode

CONTRACT = (
    *("malformed", "unsupported_algorithm", "unknown_key", "bad_signature", "wrong_type", "wrong_issuer"),
    *("wrong_audience", "expired", "not_yet_valid", "missing_claim", "invalid_claim", "stale_token_version"),
    *("session_revoked", "token_revoked", "client_disabled", "key_revoked", "issued_before_floor", "user_locked"),
    *("wrong_binding", "invalid_dpop_proof", "use_dpop_nonce"),
    *("revocations_unavailable", "keys_unavailable", "insufficient_scope", "insufficient_user_authentication"),
)


def test_the_codes_are_those_of_the_contract() -> None:
    """Contract §6, and those of DPoP (decision 50): programs depend on them."""
    assert sorted(ANSWERS) == sorted(get_args(RefusalCode)) == sorted(CONTRACT)


@pytest.mark.parametrize("code", CONTRACT)
def test_each_code_has_its_status_and_error(code: RefusalCode) -> None:
    """RFC 6750 §3.1, RFC 9449 §7.1, §9, RFC 9470 §3: 401 and 403 where the token is to blame, otherwise 503."""
    refusal = InvalidToken(code)
    expected = {
        "insufficient_scope": (403, "insufficient_scope"),
        "insufficient_user_authentication": (401, "insufficient_user_authentication"),
        "invalid_dpop_proof": (401, "invalid_dpop_proof"),
        "use_dpop_nonce": (401, "use_dpop_nonce"),
        "keys_unavailable": (503, "temporarily_unavailable"),
        "revocations_unavailable": (503, "temporarily_unavailable"),
    }.get(code, (401, "invalid_token"))
    assert (refusal.status, refusal.error) == expected
    assert (refusal.www_authenticate is None) == (refusal.status == 503)
    # In all these cases the session lives: a client that discarded its state would lose it for nothing (MSC1466).
    of_sessions = {"expired", "user_locked", "insufficient_user_authentication"}
    assert refusal.soft_logout == (code in of_sessions | {"wrong_binding", "invalid_dpop_proof", "use_dpop_nonce"})


def test_the_header_says_soft_logout_only_when_it_is_meant() -> None:
    """Design §6."""
    assert InvalidToken("expired").www_authenticate == 'Bearer error="invalid_token", soft_logout="true"'
    assert InvalidToken("bad_signature").www_authenticate == 'Bearer error="invalid_token"'
    assert InvalidToken("session_revoked", soft_logout=True).www_authenticate == (
        'Bearer error="invalid_token", soft_logout="true"'
    )
    assert InvalidToken("expired", soft_logout=False).www_authenticate == 'Bearer error="invalid_token"'


def test_demands_stand_in_the_challenge() -> None:
    refusal = InvalidToken("insufficient_scope", demands={"scope": "read write"})
    assert refusal.www_authenticate == 'Bearer error="insufficient_scope", scope="read write"'


def test_a_refusal_says_code_and_reason_and_survives_another_process() -> None:
    refusal = InvalidToken("expired", "exp has passed")
    assert str(refusal) == "expired: exp has passed"
    copy = pickle.loads(pickle.dumps(refusal))  # noqa: S301 - our own object
    assert (copy.code, copy.reason, copy.soft_logout) == ("expired", "exp has passed", True)
