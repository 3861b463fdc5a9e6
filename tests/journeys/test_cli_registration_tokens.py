"""`authserver clients registration-token` and its neighbours, on both databases."""

import pytest

from authserver.clients.self_registration import Managed, TokenRefused, register_itself
from authserver.protocol.secret import Secret
from tests.support.people.shell import Shell

METADATA = {"redirect_uris": ["https://app.example/back"], "client_name": "Notes"}
COMMAND = ("clients", "registration-token")


def register(shell: Shell, token: str) -> object:
    return shell.ask(lambda realm: register_itself(realm, Secret(token), METADATA, ip="192.0.2.1"))


def test_a_token_is_shown_once_and_registers_what_it_says(shell: Shell) -> None:
    """Contract §7."""
    options = ("--scope", "openid profile", "--scope", "read", "--audience", "https://mcp.example", "--uses", "2")
    made = shell.json(*COMMAND, *options, "--expires-in", "7d")
    assert made["scope"] == ["openid", "profile", "read"]
    assert made["audience"] == ["https://mcp.example"]
    assert made["expires_at"] - made["created_at"] == 7 * 86_400
    token = made.pop("registration_token")
    listing = ("clients", "registration-tokens")
    assert shell.json(*listing) == {"registration_tokens": [made]}
    registered = register(shell, token)
    assert isinstance(registered, Managed)
    assert shell.json(*listing)["registration_tokens"][0]["uses_left"] == 1
    assert token not in shell.run(*listing)
    shown = shell.json("clients", "show", registered.client.client_id)
    assert (shown["provenance"], shown["consent"], shown["audience"]) == ("dynamic", "always", ["https://mcp.example"])


def test_a_token_that_is_ended_registers_nothing(shell: Shell) -> None:
    made = shell.json(*COMMAND)
    ending = ("clients", "end-registration-token", made["token_id"])
    assert shell.run(*ending) == f"The registration token {made['token_id']} registers no more clients.\n"
    assert isinstance(register(shell, made["registration_token"]), TokenRefused)
    assert "There is no registration token" in shell.refuse(*ending)
    assert shell.json("clients", "registration-tokens") == {"registration_tokens": []}


def test_people_are_told_that_the_setting_is_off(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "AUTHSERVER_DYNAMIC_REGISTRATION" in shell.type(*COMMAND).stderr
    monkeypatch.setenv("AUTHSERVER_DYNAMIC_REGISTRATION", "initial-access-token")
    assert shell.run(*COMMAND)


@pytest.mark.parametrize("wrong", [("--scope", "admin"), ("--uses", "0"), ("--audience", "x"), ("--expires-in", "0")])
def test_no_token_is_made_that_gives_power_or_nothing(shell: Shell, wrong: tuple[str, str]) -> None:
    assert shell.refuse(*COMMAND, *wrong).startswith("Error: ")
