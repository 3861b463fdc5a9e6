"""`REVOCATION_POLICY`: overrides of the policy, from a table or from JSON, refused before anything starts."""

from pathlib import Path

import pytest

from authserver.config import Settings, SettingsError, load_settings
from authserver.credentials.policy_row import Mode
from authserver.revocation.policy import RevocationPolicy

SOFT = RevocationPolicy({"password_changed": {"mode": "soft"}})


def load(monkeypatch: pytest.MonkeyPatch, *, variable: str | None = None, file: Path | None = None) -> RevocationPolicy:
    if variable is not None:
        monkeypatch.setenv("AUTHSERVER_REVOCATION_POLICY", variable)
    if file is not None:
        monkeypatch.setenv("AUTHSERVER_CONFIG", str(file))
    return load_settings().revocation_policy


def write(folder: Path, text: str) -> Path:
    file = folder / "authserver.toml"
    file.write_text(text)
    return file


def test_without_the_setting_the_default_table_is_in_force() -> None:
    assert Settings().revocation_policy == RevocationPolicy()


def test_a_table_of_the_file_overrides_what_it_names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = write(tmp_path, '[REVOCATION_POLICY.password_changed]\nmode = "soft"\n')
    policy = load(monkeypatch, file=file)
    assert policy == SOFT
    assert policy.row("password_changed").mode is Mode.SOFT
    assert policy.row("signed_out") == RevocationPolicy().row("signed_out")


def test_the_variable_is_the_same_table_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch, variable='{"password_changed": {"mode": "soft"}}') == SOFT


def test_the_variable_takes_the_place_of_the_whole_table(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One setting has one source: two half tables in two places would be a policy that nobody has read."""
    file = write(tmp_path, '[REVOCATION_POLICY.refresh_token_reused]\nreach = "all"\n')
    assert load(monkeypatch, variable='{"password_changed": {"mode": "soft"}}', file=file) == SOFT


def test_every_problem_has_its_line_beside_those_of_other_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTHSERVER_WORKERS", "many")
    with pytest.raises(SettingsError) as caught:
        load(monkeypatch, variable='{"coffee_spilled": {}, "signed_out": {"mode": "gentle", "reach": "none"}}')
    assert caught.value.problems == (
        "AUTHSERVER_REVOCATION_POLICY: There is no credential event 'coffee_spilled'.",
        "AUTHSERVER_REVOCATION_POLICY: signed_out: mode must be one of hard, soft, not 'gentle'.",
        "AUTHSERVER_REVOCATION_POLICY: signed_out: reach cannot be none, only all, this_session.",
        "AUTHSERVER_WORKERS: must be a whole number",
    )


@pytest.mark.parametrize(
    "value",
    [" ", "soft", "[]", '{"signed_out": "soft"}', '{"signed_out": {}, "signed_out": {}}', "{", '{"a": NaN}', "\udcff"],
)
def test_what_is_no_table_is_refused_in_one_line(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(monkeypatch, variable=value)
    (problem,) = caught.value.problems
    assert problem.startswith("AUTHSERVER_REVOCATION_POLICY: must be a table for each event")


@pytest.mark.parametrize("text", ['REVOCATION_POLICY = "soft"', 'REVOCATION_POLICY.signed_out = "soft"'])
def test_what_is_no_table_in_the_file_is_refused_in_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        load(monkeypatch, file=write(tmp_path, text))
    (problem,) = caught.value.problems
    assert problem.startswith("AUTHSERVER_REVOCATION_POLICY: must be a table for each event")
