"""`authserver clients`: programs without users, and clients with keys of their own, on both databases."""

from pathlib import Path

import pytest

from tests.support.people.machine import make_client_pair
from tests.support.people.shell import Shell
from tests.support.world.tokens import encode, jwks

PAIRS = make_client_pair("first", "ES256"), make_client_pair("second", "PS256")


@pytest.fixture
def file(tmp_path: Path) -> str:
    """A file with the client's public keys."""
    path = tmp_path / "keys.json"
    path.write_bytes(b" \n" + jwks(*PAIRS) + b"\n")
    return str(path)


def test_a_service_has_a_secret_and_is_told_where_tokens_are(shell: Shell) -> None:
    """Contract §7."""
    made = shell.json("clients", "create", "Report", "--service", "--scope", "reports:read")
    assert (made["kind"], made["client_credentials"]) == ("service", True)
    assert made["client_secret"].startswith("cs_")
    typed = shell.type("clients", "create", "Report", "--service")
    assert "token_endpoint http://127.0.0.1:8000/oauth/token" in typed.stdout
    assert "Warning" not in typed.stdout, "nobody is meant to sign in"


def test_a_confidential_client_gets_the_grant_besides(shell: Shell) -> None:
    """Contract §7. The other kinds do not."""
    made = shell.json("clients", "create", "Web", "--confidential", "--client-credentials")
    assert (made["kind"], made["client_credentials"]) == ("confidential", True)
    changed = shell.json("clients", "update", made["client_id"], "--no-client-credentials")
    assert changed["client_credentials"] is False
    for kind in ("public", "native", "device", "resource-server"):
        assert "client_credentials: " in shell.refuse("clients", "create", "X", f"--{kind}", "--client-credentials")


def test_keys_come_from_a_file_and_make_the_client_authenticate_by_them(shell: Shell, file: str) -> None:
    made = shell.json("clients", "create", "Report", "--service", "--jwks", file)
    assert "client_secret" not in made
    assert made["auth_method"] == "private_key_jwt"
    assert made["jwks"] == ["first ES256", "second PS256"]
    shown = shell.type("clients", "show", made["client_id"])
    assert "first ES256" in shown.stdout
    typed = shell.type("clients", "create", "Report", "--service", "--jwks", "-", stdin=jwks(*PAIRS).decode())
    assert typed.exit_code == 0, typed.output
    assert "client_secret" not in typed.output


def test_keys_can_be_moved_to_a_url_and_replaced_by_a_secret(shell: Shell, file: str) -> None:
    client_id = shell.json("clients", "create", "Report", "--service", "--jwks", file)["client_id"]
    url = "https://report.example/keys"
    assert "jwks_uri: " in shell.refuse("clients", "update", client_id, "--jwks-uri", url)
    moved = shell.json("clients", "update", client_id, "--jwks-uri", url, "--jwks", "")
    assert (moved["jwks"], moved["jwks_uri"], moved["auth_method"]) == (None, url, "private_key_jwt")
    assert "has no secret" in shell.refuse("clients", "rotate-secret", client_id)
    typed = shell.type("clients", "update", client_id, "--jwks-uri", "", "--auth-method", "client_secret_post")
    assert typed.exit_code == 0, typed.output
    assert f"authserver clients rotate-secret {client_id}" in typed.stderr
    assert shell.json("clients", "rotate-secret", client_id)["client_secret"].startswith("cs_")


def test_what_is_wrong_with_keys_is_said(shell: Shell, tmp_path: Path) -> None:
    private = tmp_path / "private.json"
    private.write_bytes(encode({"keys": [{"kty": "oct", "kid": "a", "k": "c2VjcmV0"}]}))
    refusal = shell.refuse("clients", "create", "Report", "--service", "--jwks", str(private))
    assert "jwks: " in refusal
    assert "private or symmetric key material" in refusal
    assert "c2VjcmV0" not in refusal
    refusal = shell.refuse("clients", "create", "Report", "--service", "--jwks-uri", "https://127.0.0.1/keys")
    assert "private network" in refusal


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_wrong_usage(shell: Shell, tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "keys.json"
    if content is not None:
        path.write_bytes(content)
    typed = shell.type("clients", "create", "Report", "--service", "--jwks", str(path))
    assert (typed.exit_code, typed.stdout) == (2, "")
