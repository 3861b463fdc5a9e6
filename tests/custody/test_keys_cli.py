"""The command `authserver keys`: exit status, one clear line for errors, listings for programs."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat

from authserver.cli.keys import keys
from authserver.cli.main import authserver
from authserver.jose.jwk import read_jwks
from authserver.keyring import life_cycle
from tests.support.world.rsa_keys import rsa_key

Keys = Callable[..., Result]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "keys"


@pytest.fixture
def run_keys(database_url: str, tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Keys:
    """Run `authserver keys …` on an installation whose next keys may sign at once."""
    monkeypatch.setenv("AUTHSERVER_DATABASE_URL", database_url)
    monkeypatch.setenv("AUTHSERVER_HOME", str(tmp_path))
    monkeypatch.setenv("AUTHSERVER_KEYS_DIR", str(folder))

    def run(*arguments: str, stdin: str = "") -> Result:
        result = CliRunner().invoke(authserver, ["keys", *arguments], input=stdin)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
        return result

    for command in ("create-master", "rotate"):
        result = run(command)
        assert result.exit_code == 0, result.stderr
    monkeypatch.setenv("AUTHSERVER_JWKS_MAX_AGE", "0")
    monkeypatch.setattr(life_cycle, "SETTLING", timedelta(0))
    return run


def list_keys(run_keys: Keys, state: str, purpose: str = "signing") -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(run_keys("list", "--json").stdout)["keys"]
    return [key for key in found if (key["state"], key["purpose"]) == (state, purpose)]


def find_kid(run_keys: Keys, state: str, purpose: str = "signing") -> str:
    (key,) = list_keys(run_keys, state, purpose)
    return str(key["kid"])


def assert_refused(result: Result, line: str) -> None:
    assert result.exit_code == 1
    assert result.stdout == ""
    assert re.fullmatch(f"Error: .*{line}.*\n", result.stderr), result.stderr


def test_the_inventory_has_every_key_and_no_secret(run_keys: Keys) -> None:
    """ASVS 11.1.1: the inventory is what this prints."""
    listed = json.loads(run_keys("list", "--json").stdout)["keys"]
    assert {(key["purpose"], key["algorithm"], key["state"]) for key in listed} == {
        (purpose, algorithm, state)
        for purpose, algorithm in (("signing", "ES256"), ("mac", "HMAC-SHA256"))
        for state in ("active", "next")
    }
    assert all(isinstance(key["created_at"], int) and re.fullmatch("[0-9a-f]{16}", key["master_key"]) for key in listed)
    assert not {"sealed", "secret", "private_key"} & set(listed[0])
    table = run_keys("list").stdout
    assert all(key["kid"] in table for key in listed)


def test_a_rotation_prints_its_steps_and_then_that_nothing_is_due(
    run_keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    upcoming = find_kid(run_keys, "next")
    rotated = run_keys("rotate")
    assert (rotated.exit_code, rotated.stderr) == (0, "")
    assert f"signing: {upcoming} is active" in rotated.stdout
    monkeypatch.setenv("AUTHSERVER_JWKS_MAX_AGE", "300")
    monkeypatch.setenv("AUTHSERVER_KEY_ROTATION_INTERVAL", "7776000")
    again = run_keys("rotate")
    assert again.exit_code == 0
    assert re.fullmatch(r"nothing is due before \S+ \S+Z\n", again.stdout)


def test_a_promotion_that_is_too_early_is_refused_unless_forced(
    run_keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTHSERVER_JWKS_MAX_AGE", "300")
    upcoming = find_kid(run_keys, "next")
    assert_refused(run_keys("promote"), f"too early: {upcoming} is not ready before")
    assert run_keys("promote", "--force").exit_code == 0
    assert find_kid(run_keys, "active") == upcoming


def test_the_algorithm_is_changed_by_staging(run_keys: Keys) -> None:
    assert run_keys("stage", "--alg", "EdDSA").exit_code == 0
    assert run_keys("stage").stdout == "nothing to do: already done\n"
    assert run_keys("promote").exit_code == 0
    assert [key["algorithm"] for key in list_keys(run_keys, "active") + list_keys(run_keys, "next")] == ["EdDSA"] * 2


def test_a_compromise_takes_effect_at_once(run_keys: Keys) -> None:
    stolen = find_kid(run_keys, "active")
    result = run_keys("compromise", stolen)
    assert result.exit_code == 0
    assert find_kid(run_keys, "compromised") == stolen
    assert stolen not in read_jwks(run_keys("jwks").stdout_bytes)


def test_retiring_prints_why_it_is_refused(run_keys: Keys) -> None:
    active = find_kid(run_keys, "active")
    assert_refused(run_keys("retire", active), "is active")
    assert_refused(run_keys("retire", "nobody"), "there is no key nobody")
    assert_refused(run_keys("compromise", "nobody"), "there is no key nobody")
    assert run_keys("promote").exit_code == 0
    assert_refused(run_keys("retire", active), "too early")
    assert run_keys("retire", active, "--force").exit_code == 0


def test_the_printed_jwks_is_the_served_one(run_keys: Keys) -> None:
    kids = set(read_jwks(run_keys("jwks").stdout_bytes))
    assert kids == {find_kid(run_keys, "active"), find_kid(run_keys, "next")}


def write_pem(path: Path, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, passphrase: str = "") -> str:
    encryption = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
    return str(path)


def test_a_pem_is_imported_with_its_passphrase(run_keys: Keys, tmp_path: Path) -> None:
    file = write_pem(tmp_path / "own.pem", ec.generate_private_key(ec.SECP256R1()), "open sesame")
    assert_refused(run_keys("import", file), "needs a passphrase")
    assert_refused(run_keys("import", file, "--passphrase-stdin", stdin="wrong\n"), "passphrase is wrong")
    assert run_keys("import", file, "--passphrase-stdin", stdin="open sesame\n").exit_code == 0
    again = run_keys("import", file, "--passphrase-stdin", stdin="open sesame\n")
    assert (again.exit_code, again.stdout) == (0, "nothing to do: already done\n")


def test_a_weak_pem_is_refused_in_one_line(run_keys: Keys, tmp_path: Path) -> None:
    """ASVS 11.2.3."""
    file = write_pem(tmp_path / "weak.pem", rsa_key(2048))
    assert_refused(run_keys("import", file), "RSA key of 2048 bits")


def test_a_master_key_is_replaced_by_three_commands(run_keys: Keys, folder: Path) -> None:
    (old,) = folder.iterdir()
    (folder / "a-older.key").write_bytes(old.read_bytes())  # a copy of the old key whose name sorts first
    (folder / "a-older.key").chmod(0o600)
    old.unlink()
    jwks = run_keys("jwks").stdout
    assert run_keys("create-master").exit_code == 0
    assert run_keys("rewrap").stdout.startswith("4 keys sealed again")
    (folder / "a-older.key").unlink()
    assert run_keys("jwks").stdout == jwks


def test_a_wrong_master_key_is_an_error_of_one_line(run_keys: Keys, folder: Path) -> None:
    """F19."""
    for file in folder.iterdir():
        file.unlink()
    assert run_keys("create-master").exit_code == 0
    for command in (["jwks"], ["rewrap"], ["stage", "--alg", "EdDSA"]):
        assert_refused(run_keys(*command), "wrong master key for this database")


@pytest.mark.parametrize("command", [["rotate"], ["jwks"], ["rewrap"]])
def test_a_master_key_readable_by_others_is_an_error_of_one_line(
    run_keys: Keys, folder: Path, command: list[str]
) -> None:
    """F19, ASVS 13.3.1."""
    for file in folder.iterdir():
        file.chmod(0o644)
    assert_refused(run_keys(*command), "others than its owner can reach it")


@pytest.mark.parametrize(
    "arguments",
    [
        ["stage", "--mac", "--alg", "ES256"],
        ["stage", "--alg", "HS256"],
        ["retire"],
        ["import", "nowhere.pem"],
        ["bogus"],
    ],
)
def test_wrong_usage_has_exit_status_2(run_keys: Keys, arguments: list[str]) -> None:
    assert run_keys(*arguments).exit_code == 2


@pytest.mark.parametrize("command", sorted(keys.commands))
def test_every_command_has_help_whose_first_sentence_fits_a_line(command: str) -> None:
    result = CliRunner().invoke(authserver, ["keys", command, "--help"])
    assert result.exit_code == 0
    assert not keys.commands[command].get_short_help_str(limit=62).endswith("...")


def test_an_empty_master_key_is_an_error_of_one_line(run_keys: Keys, folder: Path) -> None:
    """F19."""
    for file in folder.iterdir():
        file.write_bytes(b"")
    assert_refused(run_keys("jwks"), "is empty")
