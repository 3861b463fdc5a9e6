"""`authserver clients`: what an operator does to a client, on both databases."""

import json
import shlex
from datetime import timedelta
from itertools import product
from typing import Any

import pytest

from authserver.clients.authentication import authenticate_client
from authserver.clients.presented_client import read_client
from authserver.clients.register_client import FIRST_PARTY_CLIENT_ID
from authserver.protocol.oauth_error import OAuthError
from authserver.realm import Realm
from authserver.realm.outcomes import Refused
from authserver.records.client import Client
from authserver.storage import clients
from authserver.tokens.token_answer import TokenAnswer
from tests.support.people.shell import Shell

BACK = "https://app.example/back"


@pytest.fixture
def web(shell: Shell) -> Any:  # noqa: ANN401 - as JSON is
    """A confidential client as it was printed."""
    return shell.json("clients", "create", "Web", "--confidential", "--redirect-uri", BACK)


def _show(shell: Shell, client_id: str) -> Any:  # noqa: ANN401 - as JSON is
    return shell.json("clients", "show", client_id)


def test_everything_that_a_client_may_be_told_is_kept(shell: Shell) -> None:
    """Contract §7."""
    options = """--public --redirect-uri https://app.example/a --redirect-uri https://app.example/b
        --post-logout-redirect-uri https://app.example/bye --origin https://app.example --origin http://localhost:3000
        --scope "openid profile" --scope offline_access --audience https://api.example --first-party --consent always
        --offline-access --id-token-claims --id-token-alg EdDSA --claim groups=roles
        --access-token-lifetime 60 --refresh-idle-lifetime 3600
        --refresh-absolute-lifetime 7200 --retry-window 0 --late-retry-window 10
        --logo-uri https://app.example/logo.png --client-uri http://localhost:3000 --policy-uri https://app.example/p
        --tos-uri https://app.example/t#1 --backchannel-logout-uri https://app.example/logout?from=server
        --backchannel-logout-session-required --scope-text "read=See = read" --scope-text "read#de=Sehen" """
    created = shell.json("clients", "create", "App", *shlex.split(options))
    assert created == _show(shell, created["client_id"])
    assert created["redirect_uris"] == ["https://app.example/a", "https://app.example/b"]
    assert created["post_logout_redirect_uris"] == ["https://app.example/bye"]
    assert created["origins"] == ["https://app.example", "http://localhost:3000"]
    assert created["scope"] == ["openid", "profile", "offline_access"]
    assert created["audience"] == ["https://api.example"]
    assert created["consent"] == "always"
    assert created["logo_uri"] == "https://app.example/logo.png"
    assert created["client_uri"] == "http://localhost:3000"
    assert created["policy_uri"] == "https://app.example/p"
    assert created["tos_uri"] == "https://app.example/t#1"
    assert created["backchannel_logout_uri"] == "https://app.example/logout?from=server"
    assert created["backchannel_logout_session_required"] is True
    assert created["scope_texts"] == {"read": {"en": "See = read", "de": "Sehen"}}
    assert created["first_party"] is created["offline_access"] is created["id_token_claims"] is True
    assert (created["id_token_signed_response_alg"], created["claim_names"]) == ("EdDSA", {"groups": "roles"})
    lengths = {name: value for name, value in created.items() if name.endswith(("_lifetime", "_window"))}
    assert lengths == {
        "access_token_lifetime": 60,
        "refresh_idle_lifetime": 3600,
        "refresh_absolute_lifetime": 7200,
        "retry_window": 0,
        "late_retry_window": 10,
    }


def test_a_client_without_options_has_the_installations_lengths_and_remembers_consent(shell: Shell, web: Any) -> None:  # noqa: ANN401
    assert web["consent"] == "remember"
    assert web["offline_access"] is web["pairwise"] is web["first_party"] is False
    assert all(web[name] is None for name in web if name.endswith(("_lifetime", "_window")))


def test_whom_a_first_party_client_asks_follows_its_kind(shell: Shell) -> None:
    """RFC 8252 §8.6: another program may pass for a native client, so its user is asked."""
    for kind, consent in (("public", "never"), ("confidential", "never"), ("device", "never"), ("native", "remember")):
        assert shell.json("clients", "create", "Ours", f"--{kind}", "--first-party")["consent"] == consent
    assert _show(shell, FIRST_PARTY_CLIENT_ID)["consent"] == "never"


def test_all_that_is_wrong_is_said_at_once(shell: Shell) -> None:
    options = """--origin null --redirect-uri http://a.example/ --consent never --access-token-lifetime 1
        --logo-uri http://a.example/logo --client-uri javascript:x --policy-uri /p --tos-uri https:
        --backchannel-logout-uri http://127.0.0.1/logout
        --scope-text read="""
    refusal = shell.refuse("clients", "create", "App", *options.split())
    for field in (
        "origin",
        "redirect_uri",
        "consent",
        "access_token_lifetime",
        "logo_uri",
        "client_uri",
        "policy_uri",
        "tos_uri",
        "backchannel_logout_uri",
        "scope_texts",
    ):
        assert f"{field}: " in refusal


def test_a_length_that_is_no_number_is_wrong_usage(shell: Shell, subtests: pytest.Subtests) -> None:
    for length in ("soon", "-1", "1.5", "\u0661", "", "1" * 10, "0x10"):
        with subtests.test(length=length):
            typed = shell.type("clients", "create", "App", "--retry-window", length)
            assert (typed.exit_code, typed.stdout) == (2, "")


def test_words_for_a_scope_without_the_scope_are_wrong_usage(shell: Shell) -> None:
    assert shell.type("clients", "create", "App", "--scope-text", "See albums").exit_code == 2
    refusal = shell.refuse("clients", "create", "App", "--scope-text", "read#de=Sehen")
    assert "scope_texts: They must have a text in" in refusal


def test_it_is_said_what_to_paste_into_an_application(shell: Shell) -> None:
    """It prints what to paste where. The secret stands there once."""
    typed = shell.type("clients", "create", "Web", "--confidential", "--redirect-uri", BACK)
    (listed,) = (one for one in shell.json("clients", "list")["clients"] if one["name"] == "Web")
    _, pasted = typed.stdout.split("For the application:\n")
    values = dict(line.split(maxsplit=1) for line in pasted.splitlines())
    assert values == {
        "issuer": "http://127.0.0.1:8000",
        "discovery": "http://127.0.0.1:8000/.well-known/openid-configuration",
        "client_id": listed["client_id"],
        "client_secret": values["client_secret"],
        "redirect_uri": BACK,
    }
    assert typed.stdout.count(values["client_secret"]) == 1
    assert "not shown again" in typed.stderr


def test_it_is_said_what_to_paste_into_an_api(shell: Shell) -> None:
    """Three lines of Python that are Python."""
    typed = shell.type("clients", "create", "API", "--resource-server", "--audience", "https://api.example")
    _, pasted = typed.stdout.split("For the API (pip install WHEEL):\n")
    code = "".join(line.strip() + "\n" for line in pasted.splitlines())
    compile(code, "pasted", "exec")
    assert len(code.splitlines()) == 3
    assert "issuer='http://127.0.0.1:8000', audience='https://api.example', client_id='" in code
    assert "client_secret='cs_" in code


def test_json_is_all_of_the_standard_output(shell: Shell) -> None:
    typed = shell.type("clients", "create", "Web", "--confidential", "--redirect-uri", BACK, "--json")
    assert json.loads(typed.stdout)["client_secret"].startswith("cs_")
    assert typed.stderr == ""


# --- update ----------------------------------------------------------------------------------------------------------


def test_an_update_changes_what_is_given_and_leaves_the_rest(shell: Shell, web: Any) -> None:  # noqa: ANN401
    del web["client_secret"]
    options = "--name Site --origin https://app.example --scope openid --id-token-claims --access-token-lifetime 120"
    updated = shell.json("clients", "update", web["client_id"], *options.split())
    changes = {
        "name": "Site",
        "origins": ["https://app.example"],
        "scope": ["openid"],
        "id_token_claims": True,
        "access_token_lifetime": 120,
    }
    assert updated == _show(shell, web["client_id"]) == {**web, **changes}


def test_an_update_replaces_and_empties_lists_and_takes_lengths_back(shell: Shell, web: Any) -> None:  # noqa: ANN401
    def update(*options: str) -> Any:  # noqa: ANN401 - as JSON is
        return shell.json("clients", "update", web["client_id"], *options)

    update("--origin", "https://a.example", "--origin", "https://b.example", "--retry-window", "5", "--offline-access")
    assert update("--origin", "https://c.example")["origins"] == ["https://c.example"]
    emptied = update("--origin", "", "--retry-window", "default", "--no-offline-access")
    assert (emptied["origins"], emptied["retry_window"], emptied["offline_access"]) == ([], None, False)
    update("--logo-uri", "https://a.example/logo", "--scope-text", "read=See")
    assert update("--scope-text", "write=Change")["scope_texts"] == {"write": {"en": "Change"}}
    emptied = update("--logo-uri", "", "--scope-text", "")
    assert (emptied["logo_uri"], emptied["scope_texts"]) == (None, {})


def test_users_keep_their_pairwise_names_through_an_update(shell: Shell) -> None:
    web = shell.json("clients", "create", "Web", "--redirect-uri", BACK, "--pairwise")
    salt = _stored(shell, web["client_id"]).pairwise_salt
    assert salt is not None
    assert len(salt) == 32
    shell.run("clients", "update", web["client_id"], "--pairwise", "--name", "Site")
    assert _stored(shell, web["client_id"]).pairwise_salt == salt


def test_only_a_disabled_client_becomes_pairwise_or_ceases_to_be(shell: Shell, web: Any) -> None:  # noqa: ANN401
    """Its tokens carry the names that it had: the feed would not reach them under other ones."""
    refused = shell.type("clients", "update", web["client_id"], "--pairwise")
    assert (refused.exit_code, "clients disable" in refused.stderr) == (1, True)
    shell.run("clients", "disable", web["client_id"])
    assert shell.json("clients", "update", web["client_id"], "--pairwise")["pairwise"] is True
    shell.run("clients", "enable", web["client_id"])
    assert shell.type("clients", "update", web["client_id"], "--no-pairwise").exit_code == 1


def test_an_algorithm_of_id_tokens_brings_its_keys(shell: Shell, web: Any) -> None:  # noqa: ANN401
    """Design §7: one active and one next key; asked for again, or where all tokens have it, nothing is made."""
    updated = shell.type("clients", "update", web["client_id"], "--id-token-alg", "RS256")
    assert "A new RS256 key signs ID tokens" in updated.stderr
    made = [key for key in shell.json("keys", "list")["keys"] if key["purpose"] == "id-token-RS256"]
    assert sorted(key["state"] for key in made) == ["active", "next"]
    assert shell.json("clients", "update", web["client_id"], "--id-token-alg", "ES256")
    assert len(shell.json("keys", "list")["keys"]) == 6
    assert shell.json("clients", "update", web["client_id"], "--id-token-alg", "default") == {
        **{name: value for name, value in web.items() if name != "client_secret"},
        "id_token_signed_response_alg": None,
    }
    assert "a key of this algorithm is there" in shell.run("keys", "stage", "--id-tokens", "RS256")
    assert shell.type("keys", "stage", "--id-tokens", "RS256", "--alg", "RS256").exit_code == 2
    assert shell.type("keys", "promote", "--id-tokens", "RS256", "--mac").exit_code == 2
    assert "too early" in shell.type("keys", "promote", "--id-tokens", "RS256").stderr


def test_only_a_confidential_client_goes_without_pkce(shell: Shell, web: Any) -> None:  # noqa: ANN401
    """OAuth 2.1 §7.5.1."""
    for rule in ("optional", "waived"):
        assert shell.json("clients", "update", web["client_id"], "--pkce", rule)["pkce"] == rule
    for kind, rule in product(("--public", "--native", "--device", "--resource-server"), ("optional", "waived")):
        refused = shell.type("clients", "create", "App", kind, "--pkce", rule)
        assert (refused.exit_code, "Only a confidential client may go without PKCE" in refused.stderr) == (1, True)


BAD_UPDATES = [
    (("--claim", "sub=roles"), "claim_names"),
    (("--claim", "groups=email"), "claim_names"),
    (("--redirect-uri", "https://*"), "redirect_uri"),
    (("--consent", "never"), "consent"),
    (("--name", ""), "name"),
    (("--access-token-lifetime", "301"), "access_token_lifetime"),
]


def test_an_update_is_held_to_what_a_new_client_is(shell: Shell, web: Any, subtests: pytest.Subtests) -> None:  # noqa: ANN401
    for options, field in BAD_UPDATES:
        with subtests.test(options=options):
            assert f"{field}: " in shell.refuse("clients", "update", web["client_id"], *options)
    del web["client_secret"]
    assert _show(shell, web["client_id"]) == web


def test_who_may_never_be_asked_stays_first_party(shell: Shell) -> None:
    """Consent that is never asked for does not survive the reason for it."""
    ours = shell.json("clients", "create", "Ours", "--first-party", "--redirect-uri", BACK)["client_id"]
    assert "consent: " in shell.refuse("clients", "update", ours, "--no-first-party")
    theirs = shell.json("clients", "update", ours, "--no-first-party", "--consent", "remember")
    assert (theirs["first_party"], theirs["consent"]) == (False, "remember")


def test_an_update_of_nothing_is_wrong_usage(shell: Shell, web: Any) -> None:  # noqa: ANN401
    assert shell.type("clients", "update", web["client_id"]).exit_code == 2


# --- secrets, deleting -----------------------------------------------------------------------------------------------


def test_a_new_secret_takes_the_place_of_the_old_one(shell: Shell, web: Any) -> None:  # noqa: ANN401
    """ASVS 10.4.10: within the few seconds for which a record is remembered."""
    rotated = shell.json("clients", "rotate-secret", web["client_id"])
    assert rotated["client_secret"] != web["client_secret"]

    def answers(realm: Realm) -> list[bool]:
        return [
            not isinstance(_authenticate(realm, web["client_id"], secret), OAuthError)
            for secret in (web["client_secret"], rotated["client_secret"])
        ]

    assert shell.ask(answers) == [False, True]


def _authenticate(realm: Realm, client_id: str, secret: str) -> Client | OAuthError:
    presented = read_client(None, {"client_id": client_id, "client_secret": secret})
    assert not isinstance(presented, OAuthError)
    return authenticate_client(realm, presented)


def test_a_server_that_remembers_a_secret_forgets_it_within_seconds(shell: Shell, web: Any) -> None:  # noqa: ANN401
    def old_secret_passes(realm: Realm) -> tuple[bool, bool]:
        def passes() -> bool:
            return isinstance(_authenticate(realm, web["client_id"], web["client_secret"]), Client)

        before = passes()
        shell.run("clients", "rotate-secret", web["client_id"], "--json")
        shell.clock.advance(timedelta(seconds=6))
        return before, passes()

    assert shell.ask(old_secret_passes) == (True, False)


def test_with_an_overlap_both_secrets_are_good_until_the_former_one_ends_by_itself(shell: Shell, web: Any) -> None:  # noqa: ANN401
    """An application that runs in many places takes the new secret place by place."""
    second = shell.json("clients", "rotate-secret", web["client_id"], "--overlap", "24h")
    assert _show(shell, web["client_id"])["former_secret_until"] == second["former_secret_until"] is not None
    secrets = [web["client_secret"], second["client_secret"]]

    def passing_in_time(realm: Realm) -> list[list[bool]]:
        def passing() -> list[bool]:
            return [isinstance(_authenticate(realm, web["client_id"], secret), Client) for secret in secrets]

        at_first = passing()
        shell.clock.advance(timedelta(hours=24) - timedelta(seconds=1))
        at_last = passing()
        shell.clock.advance(timedelta(seconds=1))
        return [at_first, at_last, passing()]

    assert shell.ask(passing_in_time) == [[True, True], [True, True], [False, True]]


def test_a_new_secret_that_was_lost_is_replaced_and_the_one_in_use_stays(shell: Shell, web: Any) -> None:  # noqa: ANN401
    """A second overlap would have to end one of two secrets that may be in use, and is refused."""
    lost = shell.json("clients", "rotate-secret", web["client_id"], "--overlap", "24h")
    assert "two valid secrets" in shell.refuse("clients", "rotate-secret", web["client_id"], "--overlap", "24h")
    again = shell.json("clients", "rotate-secret", web["client_id"], "--keep-former")
    assert again["former_secret_until"] == lost["former_secret_until"]

    def passing(realm: Realm) -> list[bool]:
        secrets = (web["client_secret"], lost["client_secret"], again["client_secret"])
        return [isinstance(_authenticate(realm, web["client_id"], secret), Client) for secret in secrets]

    assert shell.ask(passing) == [True, False, True]


@pytest.mark.parametrize("end", [("end-former-secret",), ("rotate-secret", "--json")], ids=" ".join)
def test_a_former_secret_can_be_ended_before_its_time(shell: Shell, web: Any, end: tuple[str, ...]) -> None:  # noqa: ANN401
    """By itself, which leaves the current secret, or by a rotation without an overlap, as after a leak."""
    second = shell.json("clients", "rotate-secret", web["client_id"], "--overlap", "7d")
    shell.run("clients", end[0], web["client_id"], *end[1:])
    assert _show(shell, web["client_id"])["former_secret_until"] is None

    def passing(realm: Realm) -> list[bool]:
        secrets = (web["client_secret"], second["client_secret"])
        return [isinstance(_authenticate(realm, web["client_id"], secret), Client) for secret in secrets]

    assert shell.ask(passing) == [False, end == ("end-former-secret",)]


def test_an_overlap_has_a_unit_and_an_end_and_is_no_use_without_a_secret(shell: Shell, web: Any) -> None:  # noqa: ANN401
    for overlap in ("24", "-1h", "91d", "soon", ""):
        assert shell.type("clients", "rotate-secret", web["client_id"], "--overlap", overlap).exit_code == 2
    assert "no former secret" in shell.refuse("clients", "end-former-secret", web["client_id"])
    assert "no former secret" in shell.refuse("clients", "end-former-secret", FIRST_PARTY_CLIENT_ID)


def test_a_public_client_has_no_secret_to_rotate(shell: Shell) -> None:
    assert "no secret" in shell.refuse("clients", "rotate-secret", FIRST_PARTY_CLIENT_ID)


def test_a_deleted_client_is_gone_and_its_users_are_not(shell: Shell) -> None:
    ours = shell.json("clients", "create", "Ours", "--first-party")["client_id"]
    user = shell.create_user()
    session = shell.sign_in(client_id=ours)
    assert isinstance(session, TokenAnswer)
    assert shell.run("clients", "delete", ours, "--yes") == f"{ours} is deleted, with all its tokens and consents\n"
    assert "There is no client" in shell.refuse("clients", "show", ours)
    assert isinstance(shell.sign_in(client_id=ours), Refused)
    assert shell.json("users", "show", user["user_id"]) == user
    assert isinstance(shell.sign_in(device=session.device_id), TokenAnswer)
    names = [record["name"] for record in shell.json("audit", "list")["events"] if record["client_id"] == ours]
    assert {"client_created", "client_disabled", "client_deleted"} <= set(names)


def test_the_built_in_client_is_not_deleted(shell: Shell) -> None:
    """`init` would make it again under an id that resource servers have just learned to refuse."""
    assert "built in" in shell.refuse("clients", "delete", FIRST_PARTY_CLIENT_ID, "--yes")
    assert _show(shell, FIRST_PARTY_CLIENT_ID)["state"] == "enabled"


def test_what_is_no_client_is_refused_by_name(shell: Shell, subtests: pytest.Subtests) -> None:
    for verb in (("update", "--name", "X"), ("rotate-secret",), ("delete",)):
        for client_id in ("nothing", "\0", "\udcff"):
            with subtests.test(verb=verb[0], client_id=client_id):
                assert "There is no client" in shell.refuse("clients", verb[0], client_id, *verb[1:])


def _stored(shell: Shell, client_id: str) -> Client:
    def find(realm: Realm) -> Client | None:
        with realm.database.read() as tx:
            return clients.find(tx, client_id)

    client = shell.ask(find)
    assert isinstance(client, Client)
    return client


@pytest.mark.parametrize(
    ("options", "warned"),
    [
        ((), True),
        (("--confidential",), True),
        (("--native",), True),
        (("--device",), False),
        (("--first-party",), False),
        (("--redirect-uri", "https://photos.example/back"), False),
        (("--resource-server",), False),
    ],
)
def test_a_client_to_which_nobody_can_sign_in_is_said_to_be_one(
    shell: Shell, options: tuple[str, ...], *, warned: bool
) -> None:
    """The accident: everything looks well until the first person is sent to a page that refuses them."""
    said = shell.type("clients", "create", "Photos", *options).stdout
    assert ("Warning: nobody can sign in" in said) == warned
    if warned:
        client_id = shell.json("clients", "list")["clients"][-1]["client_id"]
        assert "Warning" not in shell.run("clients", "update", client_id, "--first-party")
