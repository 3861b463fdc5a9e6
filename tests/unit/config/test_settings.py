"""Settings are right as a whole, or nothing starts and every problem has its line."""

import re
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest

from authserver.config import Settings, SettingsError, load_settings

DOCUMENT = Path(__file__).parents[3] / "docs" / "configuration.md"


def set_all(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    for name, value in values.items():
        monkeypatch.setenv(f"AUTHSERVER_{name}", value)


def problems_of(monkeypatch: pytest.MonkeyPatch, **values: str) -> tuple[str, ...]:
    set_all(monkeypatch, **values)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert str(caught.value) == "\n".join(caught.value.problems)
    return caught.value.problems


def documented() -> dict[str, str]:
    """Setting → the text of its default, from the tables of the document."""
    return dict(re.findall(r"^\| `([A-Z_]+)` \| (.+?) \|", DOCUMENT.read_text(), flags=re.MULTILINE))


def test_everything_has_a_default() -> None:
    settings = load_settings()
    assert settings.issuer == "http://127.0.0.1:8000"
    assert settings.default_audience == "http://127.0.0.1:8000/api"
    assert settings.database_url.reveal() == f"sqlite:///{settings.home}/authserver.db"
    assert settings.home.is_absolute()
    assert settings.uses_sqlite


def test_the_document_lists_exactly_the_settings_that_exist() -> None:
    assert documented().keys() == {name.upper() for name in Settings.model_fields}


def test_the_documented_defaults_are_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    """ASVS 7.1.1: what is written about lifetimes and the session cap is what is in force."""
    expected = load_settings()
    written = {name: default.strip("`") for name, default in documented().items() if default.startswith("`")}
    assert len(written) > 15
    set_all(monkeypatch, **written)
    assert load_settings() == expected


def test_all_problems_are_reported_together_each_with_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    problems = problems_of(
        monkeypatch, ISSUER="http://auth.example", WORKERS="many", REGISTRATION="ajar", REQUIRE_VERIFIED_EMAIL="perhaps"
    )
    assert [problem.split(":")[0] for problem in problems] == [
        "AUTHSERVER_ISSUER",
        "AUTHSERVER_REGISTRATION",
        "AUTHSERVER_REQUIRE_VERIFIED_EMAIL",
        "AUTHSERVER_WORKERS",
    ]
    assert not [problem for problem in problems if "\n" in problem]


def test_problems_of_the_file_and_of_the_environment_are_reported_together(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "authserver.toml"
    file.write_text('WORKERS = "many"\nISUER = "https://auth.example"\n')
    problems = problems_of(monkeypatch, CONFIG=str(file), LOG_LEVEL="loud")
    assert [problem.split(":")[0] for problem in problems] == [
        "ISUER",
        "AUTHSERVER_WORKERS",
        "AUTHSERVER_LOG_LEVEL",
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://root:hunter2secret@db/auth"),
        ("LIMITS_URL", "http://:hunter2secret@cache"),
        ("SMTP_URL", "http://:hunter2secret@mail"),
        ("MAIL_FROM", "hunter2secret"),
        ("ISSUER", "https://user:hunter2secret@auth.example"),
        ("PASSWORD_MIN_LENGTH", "hunter2secret"),
        ("KEY_RETIRE_AFTER", "hunter2secret"),
        ("ACCENT_COLOUR", "hunter2secret"),
        ("LOGO", "hunter2secret.gif"),
        ("SUPPORT_URL", "javascript:hunter2secret"),
        ("PRIVACY_URL", "https://auth.example/ hunter2secret"),
        ("PRODUCT_NAME", "hunter2secret" * 5),
        ("SCOPE_TEXTS", "hunter2secret"),
        ("SCOPE_TEXTS", '{"read": ["hunter2secret"]}'),
        ("SCOPE_TEXTS", '{"read": "See it", "read": "hunter2secret"}'),
        ("PRODUCT_NAME", " "),
    ],
)
def test_a_problem_never_repeats_the_value(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    (problem,) = problems_of(monkeypatch, **{name: value})
    assert problem.startswith(f"AUTHSERVER_{name}: must ")
    assert "hunter2secret" not in problem


def test_a_printed_settings_value_shows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, DATABASE_URL="postgresql://auth:hunter2secret@db/auth", LIMITS_URL="redis://:hunter2secret@c")
    assert "hunter2secret" not in repr(load_settings())


def test_a_misspelt_variable_is_a_problem_and_the_right_name_is_proposed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert problems_of(monkeypatch, ACESS_TOKEN_LIFETIME="300") == (
        "AUTHSERVER_ACESS_TOKEN_LIFETIME: no such setting; did you mean AUTHSERVER_ACCESS_TOKEN_LIFETIME?",
    )


@pytest.mark.parametrize("name", ["CONFIG", "TEST_POSTGRES"])
def test_variables_that_are_no_settings_are_no_problem(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    set_all(monkeypatch, **{name: ""})
    assert load_settings() == Settings()


_OF_A_SERVICE = {
    "AUTHSERVER_PORT": "tcp://10.96.0.11:8000",
    "AUTHSERVER_SERVICE_HOST": "10.96.0.11",
    "AUTHSERVER_SERVICE_PORT": "8000",
    "AUTHSERVER_SERVICE_PORT_HTTP": "8000",
    "AUTHSERVER_PORT_8000_TCP": "tcp://10.96.0.11:8000",
    "AUTHSERVER_PORT_8000_TCP_PROTO": "tcp",
    "AUTHSERVER_PORT_8000_TCP_PORT": "8000",
    "AUTHSERVER_PORT_8000_TCP_ADDR": "10.96.0.11",
    "AUTHSERVER_PORT_53_UDP": "udp://10.96.0.11:53",
    "AUTHSERVER_POSTGRES_PORT": "tcp://10.96.0.12:5432",
    "AUTHSERVER_POSTGRES_SERVICE_HOST": "10.96.0.12",
    "AUTHSERVER_POSTGRES_PORT_5432_TCP_ADDR": "10.96.0.12",
}


def test_what_an_orchestrator_sets_for_a_service_of_our_name_is_none_of_our_settings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """kubernetes.io/docs/concepts/services-networking/service/#environment-variables; Docker's links do the same."""
    for name, value in _OF_A_SERVICE.items():
        monkeypatch.setenv(name, value)
    assert load_settings() == Settings()
    # Nothing of that form is ever to become a setting.
    forms = ("PORT", "SERVICE_HOST", "SERVICE_PORT")
    assert not [name for name in Settings.model_fields if name.upper().endswith(forms)]


@pytest.mark.parametrize("name", ["PORTS", "SERVICE", "PORT_8000", "PORT_HTTP_TCP", "HTTP_HOST"])
def test_a_name_that_only_resembles_those_of_a_service_is_a_problem(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    (problem,) = problems_of(monkeypatch, **{name: "8000"})
    assert problem.startswith(f"AUTHSERVER_{name}: no such setting")


def test_empty_variables_count_as_absent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "authserver.toml"
    file.write_text("WORKERS = 3\n")
    set_all(monkeypatch, CONFIG=str(file), NO_SUCH_THING="", **{name.upper(): "" for name in Settings.model_fields})
    assert load_settings() == Settings(workers=3)


def test_a_file_may_begin_with_a_byte_order_mark(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "authserver.toml"
    file.write_text("WORKERS = 3\n", encoding="utf-8-sig")
    set_all(monkeypatch, CONFIG=str(file))
    assert load_settings().workers == 3


def test_paths_of_the_file_are_from_its_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A cron job runs elsewhere than a person does, and both are to find one installation."""
    file = tmp_path / "authserver.toml"
    file.write_text('HOME = "state"\nKEYS_DIR = "/etc/authserver/keys"\n')
    set_all(monkeypatch, CONFIG=str(file))
    settings = load_settings()
    assert (settings.home, settings.keys_dir) == (tmp_path / "state", Path("/etc/authserver/keys"))
    assert settings.database_url.reveal() == f"sqlite:///{tmp_path}/state/authserver.db"


def test_the_file_gives_settings_under_their_names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "authserver.toml"
    file.write_text('ISSUER = "https://auth.example"\nworkers = 3\nAUTHSERVER_TRUSTED_PROXIES = ["10.0.0.5"]\n')
    set_all(monkeypatch, CONFIG=str(file))
    settings = load_settings()
    assert (settings.issuer, settings.workers) == ("https://auth.example", 3)
    assert settings.trusted_proxies == (ip_network("10.0.0.5"),)


def test_the_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "authserver.toml"
    file.write_text("WORKERS = 3\n")
    set_all(monkeypatch, CONFIG=str(file), WORKERS="2")
    assert load_settings().workers == 2


@pytest.mark.parametrize("content", [None, "WORKERS = [", "\udcff"])
def test_a_file_that_cannot_be_read_is_one_problem(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str | None
) -> None:
    file = tmp_path / "authserver.toml"
    if content is not None:
        file.write_bytes(content.encode("utf-8", "surrogateescape"))
    (problem,) = problems_of(monkeypatch, CONFIG=str(file))
    assert problem.startswith("AUTHSERVER_CONFIG: ")
    assert problem.endswith(str(file))


@pytest.mark.parametrize(
    "issuer",
    [
        "https://auth.example",
        "https://auth.example:8443/realms/one",
        "http://localhost:8000",
        "http://127.0.0.2",
        "http://[::1]:8000",
    ],
)
def test_an_issuer_is_https_or_loopback_and_may_have_a_path(monkeypatch: pytest.MonkeyPatch, issuer: str) -> None:
    set_all(monkeypatch, ISSUER=issuer)
    assert load_settings().issuer == issuer


@pytest.mark.parametrize("issuer", ["https://auth.example/", "https://auth.example/realms/one/", "http://[::1]:8000/"])
def test_an_issuer_with_a_slash_at_its_end_is_refused_and_not_changed(
    monkeypatch: pytest.MonkeyPatch, issuer: str
) -> None:
    """`iss` is compared letter for letter: clients are set up with what the operator typed."""
    (problem,) = problems_of(monkeypatch, ISSUER=issuer)
    assert problem == "AUTHSERVER_ISSUER: must not end in a slash: https://auth.example"


@pytest.mark.parametrize(
    "issuer",
    [
        " ",
        "auth.example",
        "http://auth.example",
        "http://10.0.0.1",
        "ftp://127.0.0.1",
        "https://auth.example?x=1",
        "https://auth.example#x",
        "https://auth.example/a/../b",
        "https://auth.example/a//b",
        "https://auth.example:port",
        "https://me@auth.example",
        "https://auth .example",
        "https://äuth.example",
    ],
)
def test_any_other_issuer_is_refused(monkeypatch: pytest.MonkeyPatch, issuer: str) -> None:
    (problem,) = problems_of(monkeypatch, ISSUER=issuer)
    assert problem.startswith("AUTHSERVER_ISSUER: must be an https URL")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ACCESS_TOKEN_LIFETIME", "59"),
        ("ACCESS_TOKEN_LIFETIME", "3601"),
        ("ACCESS_TOKEN_LIFETIME", "5 minutes"),
        ("REFRESH_RETRY_WINDOW", "-1"),
        ("REFRESH_RETRY_WINDOW", "604801"),
        ("REFRESH_LATE_RETRY_WINDOW", "604801"),
        ("REFRESH_ABSOLUTE_LIFETIME", "604799"),
        ("KEY_RETIRE_AFTER", "329"),
        ("KEY_ROTATION_INTERVAL", "299"),
        ("DEFAULT_AUDIENCE", "http://127.0.0.1:8000"),
        ("DEFAULT_AUDIENCE", "two words"),
        ("PASSWORD_MIN_LENGTH", "7"),
        ("MAX_SESSIONS_PER_USER", "0"),
        ("AUDIT_RETENTION", "60"),
        ("DATABASE_URL", "sqlite:///:memory:"),
        ("DATABASE_URL", "sqlite://"),
        ("DATABASE_URL", "sqlite:///authserver.db"),
        ("DATABASE_URL", "sqlite:///./var/authserver.db"),
        ("DATABASE_URL", "sqlite://authserver.db"),
        ("DATABASE_URL", "sqlite:////var/lib/authserver/"),
        ("DATABASE_URL", "sqlite:////var/lib/authserver.db?mode=ro"),
        ("DATABASE_URL", "sqlite+aiosqlite:////var/lib/authserver.db"),
        ("DATABASE_URL", " "),
        ("HOME", " "),
        ("TRUSTED_PROXIES", "10.0.0.1/8"),
        ("TRUSTED_PROXIES", "proxy.example"),
        ("PRIVATE_HOSTS", "https://crm.intranet"),
        ("PRIVATE_HOSTS", "crm.intranet:8443"),
        ("PRIVATE_HOSTS", "10.0.0.0/8"),
        ("PRIVATE_HOSTS", "*.intranet"),
        ("LOGIN_LIMITS", "often"),
        ("METRICS", "9100"),
        ("METRICS", "127.0.0.1:99999"),
    ],
)
def test_a_value_out_of_bounds_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    (problem,) = problems_of(monkeypatch, **{name: value})
    assert problem.startswith(f"AUTHSERVER_{name}: must ")


def test_zero_windows_are_the_strict_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, REFRESH_RETRY_WINDOW="0", REFRESH_LATE_RETRY_WINDOW="0")
    settings = load_settings()
    assert settings.refresh_retry_window == settings.refresh_late_retry_window == timedelta(0)


def test_a_short_idle_lifetime_shortens_the_windows_that_were_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, REFRESH_IDLE_LIFETIME="3600")
    assert load_settings().refresh_late_retry_window == timedelta(hours=1)
    set_all(monkeypatch, REFRESH_IDLE_LIFETIME="330")
    assert load_settings().refresh_retry_window == timedelta(seconds=20)


def test_no_family_may_fall_idle_while_its_client_refreshes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Design §4: retry window, 10 s and access-token lifetime fit into the idle lifetime, or start is refused."""
    set_all(monkeypatch, REFRESH_IDLE_LIFETIME="600", REFRESH_RETRY_WINDOW="290")
    assert load_settings().refresh_retry_window == timedelta(seconds=290)
    (problem,) = problems_of(monkeypatch, REFRESH_RETRY_WINDOW="291")
    assert problem.startswith(
        "AUTHSERVER_REFRESH_RETRY_WINDOW: must not be above"
        " AUTHSERVER_REFRESH_IDLE_LIFETIME - AUTHSERVER_ACCESS_TOKEN_LIFETIME - 10: "
    )


def test_an_idle_lifetime_leaves_time_for_one_access_token(monkeypatch: pytest.MonkeyPatch) -> None:
    (problem,) = problems_of(monkeypatch, REFRESH_IDLE_LIFETIME="309")
    assert problem == "AUTHSERVER_REFRESH_IDLE_LIFETIME: must be at least AUTHSERVER_ACCESS_TOKEN_LIFETIME + 10"


def test_metrics_are_refused_until_they_are_served(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever sets an address waits for a scrape that never comes."""
    set_all(monkeypatch, METRICS="off")
    load_settings()
    (problem,) = problems_of(monkeypatch, METRICS="127.0.0.1:9100")
    assert problem == "AUTHSERVER_METRICS: must be off: this release serves no metrics"


def test_a_mail_server_needs_a_sender(monkeypatch: pytest.MonkeyPatch) -> None:
    url = "smtp://authserver:hunter2secret@mail.example"
    assert problems_of(monkeypatch, SMTP_URL=url) == ("AUTHSERVER_MAIL_FROM: is required with AUTHSERVER_SMTP_URL",)
    set_all(monkeypatch, MAIL_FROM="Example <no-reply@auth.example>")
    settings = load_settings()
    assert settings.smtp_url is not None
    assert settings.smtp_url.reveal() == url
    assert str(settings.mail_from) == "Example <no-reply@auth.example>"
    assert "hunter2secret" not in repr(settings)


def test_a_sender_without_a_mail_server_is_that_of_the_files(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, MAIL_FROM="no-reply@auth.example", REQUIRE_VERIFIED_EMAIL="true")
    assert load_settings().smtp_url is None


def test_the_look_of_the_pages_is_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    logo = tmp_path / "logo.svg"
    logo.write_bytes(b"<svg/>")
    set_all(
        monkeypatch,
        PRODUCT_NAME=" Example  Cloud ",
        LOGO=str(logo),
        ACCENT_COLOUR="#0F5F5C",
        SUPPORT_URL="mailto:help@example.org",
        TERMS_URL="https://example.org/terms",
    )
    settings = load_settings()
    assert (settings.product_name, settings.accent_colour.light) == ("Example Cloud", "#0f5f5c")
    assert settings.logo is not None
    assert settings.logo.content == b"<svg/>"
    assert (settings.support_url, settings.privacy_url) == ("mailto:help@example.org", None)


def test_words_for_scopes_are_a_table_or_json(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """In the file as people write tables; in the environment as JSON."""
    file = tmp_path / "authserver.toml"
    file.write_text('[SCOPE_TEXTS]\n"albums:read" = "See albums"\nwrite = { en = "Change", de = "Ändern" }\n')
    set_all(monkeypatch, CONFIG=str(file))
    written = {"albums:read": {"en": "See albums"}, "write": {"en": "Change", "de": "Ändern"}}
    assert load_settings().scope_texts == written
    set_all(monkeypatch, SCOPE_TEXTS='{"albums:read": "Look"}')
    assert load_settings().scope_texts == {"albums:read": {"en": "Look"}}


def test_an_accent_that_nobody_can_read_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    (problem,) = problems_of(monkeypatch, ACCENT_COLOUR="#ffcc00")
    assert problem.startswith("AUTHSERVER_ACCENT_COLOUR: must be a darker colour")
