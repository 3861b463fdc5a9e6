"""The example in docs/embedding.md runs as printed, and has the effects that the document describes."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from authserver.authentication.bearer import Bearer, authenticate_bearer
from authserver.cli.main import authserver
from authserver.embedding import Installation, PasswordRefusedError
from authserver.protocol.oauth_error import OAuthError
from authserver.realm import Realm
from authserver.realm.outcomes import Refused
from authserver.records.audit import AuditFilter
from authserver.records.presence import BearerRefused
from authserver.storage.audit import list_page
from authserver.tokens.token_answer import TokenAnswer
from tests.support.people.person import NEW_PASSWORD, Person

DOCUMENT = Path(__file__).parents[2] / "docs" / "embedding.md"


@dataclass(frozen=True, slots=True)
class Example:
    """The names that the document's code block defines."""

    names: dict[str, Any]

    @property
    def installation(self) -> Installation:
        installation: Installation = self.names["installation"]
        return installation

    @property
    def realm(self) -> Realm:
        """The realm of the example's installation, as its server uses it."""
        return self.installation._realm


@pytest.fixture
def example(empty_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Example]:
    """Run the document's code block in an installation that environment variables describe."""
    for name, value in {
        "HOME": tmp_path / "var",
        "KEYS_DIR": tmp_path / "keys",
        "DATABASE_URL": empty_database_url,
    }.items():
        monkeypatch.setenv(f"AUTHSERVER_{name}", str(value))
    result = CliRunner().invoke(authserver, ["init"])
    assert result.exit_code == 0, result.output
    (block,) = re.findall(r"^```python\n(.*?)^```$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(block, str(DOCUMENT), "exec"), names)  # noqa: S102 - the document is ours
    example = Example(names)
    yield example
    example.installation.close()


def test_a_reported_password_change_ends_the_sessions_of_that_user_alone(example: Example) -> None:
    """TYPO3 #87298: a change outside the server also ends the sessions of this user, and of no other."""
    person, bystander = Person(example.realm), Person(example.realm)
    devices = [person.sign_in() for _ in range(2)]
    beside = bystander.sign_in()
    receipt = example.names["report_password_change"](person.email, NEW_PASSWORD, operator="ada")
    assert (receipt.event, receipt.sessions_ended, receipt.sessions_kept) == ("password_changed", 2, 0)
    assert receipt.token_version == 2
    for device in devices:
        assert isinstance(authenticate_bearer(example.realm, device.access_token), BearerRefused)
        assert isinstance(person.refresh(device), OAuthError)
    assert isinstance(person.try_sign_in(), Refused)
    assert isinstance(person.try_sign_in(password=NEW_PASSWORD), TokenAnswer)
    assert isinstance(authenticate_bearer(example.realm, beside.access_token), Bearer)
    with example.realm.database.read() as tx:
        (record,) = list_page(tx, AuditFilter(user_id=person.user_id, name="authn_password_change"), limit=2)
    assert record.actor.name == "shop:ada"


def test_a_refused_change_changes_nothing(example: Example) -> None:
    person = Person(example.realm)
    device = person.sign_in()
    with pytest.raises(LookupError):
        example.names["report_password_change"]("nobody@example.test", NEW_PASSWORD, operator="ada")
    for password, code in (("a\0b", "invalid_character"), ("short", "too_short"), (person.email, "contains_email")):
        with pytest.raises(PasswordRefusedError) as refused:
            example.names["report_password_change"](person.email, password, operator="ada")
        assert [breach.code for breach in refused.value.breaches] == [code]
    assert isinstance(authenticate_bearer(example.realm, device.access_token), Bearer)


def test_reported_roles_are_in_the_next_refresh(example: Example) -> None:
    """ASVS 8.3.2: the old access token is stale at once."""
    person = Person(example.realm)
    device = person.sign_in()
    receipt = example.names["report_new_roles"](person.user_id, ("auditor",), operator="ada")
    assert (receipt.sessions_ended, receipt.sessions_kept) == (0, 1)
    assert isinstance(authenticate_bearer(example.realm, device.access_token), BearerRefused)
    refreshed = person.refresh(device)
    assert isinstance(refreshed, TokenAnswer)
    assert person.bearer(refreshed).claims.roles == ("auditor",)


def test_one_call_ends_everything_of_a_user(example: Example) -> None:
    """ASVS 7.4.5."""
    person = Person(example.realm)
    device = person.sign_in()
    assert example.names["end_everything_of"](person.user_id, operator="ada").sessions_ended == 1
    assert isinstance(person.refresh(device), OAuthError)
    assert example.names["end_everything_of"]("nobody", operator="ada").token_version is None
