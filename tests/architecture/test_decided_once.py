"""What several doors or use cases need to know is decided at one place, and asked there."""

import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "authserver"

DECIDED_AT = {
    r"client\.disabled_at is": {"revocation/client_changes.py"},  # computes with the instant
    r"self\.disabled_at is": {"records/client.py"},
    # Its definition, the token endpoint, and all other OAuth endpoints.
    r"\bauthenticate_client\(": {"clients/authentication.py", "grants/base.py", "web/oauth/form.py"},
    r"\bverify_password\(": {"authentication/passwords.py", "authentication/failed_proof.py"},
    r"has changed in the meantime": {"authentication/failed_proof.py"},
    # Recency: the doors, before they count a try; and two acts without a password, one of which asks only at times.
    r"\bdemand_recent\(": {
        "authentication/reauthentication.py",
        "authentication/sign_out.py",
        "web/api/bearer.py",
        "web/pages/account/frame.py",
        "web/pages/account/leaving.py",
    },
    # Nobody else says that somebody signed in recently.
    r"\bRecent\(": {"authentication/reauthentication.py"},
    # Counting, settling and logging of tries.
    r"current_limits\(\)": {"web/limits/current.py", "web/limits/tries.py"},
    r"authn_login_fail\"|authn_password_change_fail\"": {"protocol/audit_name.py", "web/limits/tries.py"},
    r"\bPasswordChanged\(": {"account/change_password.py", "credentials/events/password_changed.py"},
}
"""Pattern → the files that may contain it."""


@pytest.mark.parametrize("pattern", DECIDED_AT)
def test_a_decision_stands_at_one_place(pattern: str) -> None:
    found = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if re.search(pattern, path.read_text(encoding="utf-8"))
    }
    assert found == DECIDED_AT[pattern]
