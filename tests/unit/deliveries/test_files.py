"""Mails as files: complete, readable only by their owner, one for each mail even if it is written again."""

import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from authserver.deliveries.files import FileCarrier
from authserver.deliveries.outcome import Delivered, Failed
from authserver.mail.compose import Composer, WrittenLink
from authserver.protocol.secret import Secret
from authserver.records.link import LinkPurpose
from authserver.records.queued_mail import QueuedMail
from tests.support.people.mail import SENDER, read_mails, read_text

ADDRESS = "ada@example.test"


def write(folder: Path, mail_id: str = "mail-1", name: str = "Zoë") -> Delivered | Failed:
    mail = QueuedMail(mail_id, "user_deleted", ADDRESS, None, {"name": name, "at": 1_767_268_800})
    return FileCarrier(folder).deliver(Composer("https://auth.example", SENDER).compose(mail, None), ADDRESS)


def test_a_mail_is_a_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    folder = tmp_path / "var" / "mail"
    assert write(folder) == Delivered()
    (file,) = folder.iterdir()
    assert file.name == "20260101T120000Z-mail-1.eml"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    (message,) = read_mails(folder)
    assert message["To"] == ADDRESS
    assert read_text(message).startswith("Hello Zoë,")


def test_a_copy_of_a_mail_replaces_the_first(tmp_path: Path) -> None:
    for _ in range(2):
        write(tmp_path)
    write(tmp_path, "mail-2")
    assert len(list(tmp_path.iterdir())) == 2


def test_an_unwritable_folder_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "mail").write_text("a file")
    outcome = write(tmp_path / "mail")
    assert isinstance(outcome, Failed)
    assert ADDRESS not in outcome.reason


def test_a_full_disk_leaves_no_partial_mail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No draft stays that a program could read as a complete mail."""

    def fail(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    assert write(tmp_path) == Failed(f"OSError: {tmp_path}: No space left on device")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["Ada", "Zoë", "=?utf-8?q?x?=", "李小龍", "👩‍👩‍👧", "ü" * 200])
def test_the_link_can_be_copied_from_the_file_for_any_name(tmp_path: Path, name: str) -> None:
    link = WrittenLink(LinkPurpose.NOT_ME, Secret("lt_" + "A" * 120), datetime(2026, 1, 2, tzinfo=UTC))
    mail = QueuedMail("mail-1", "password_changed", ADDRESS, None, {"name": name, "at": 1_767_268_800})
    FileCarrier(tmp_path).deliver(Composer("https://auth.example", SENDER).compose(mail, link), ADDRESS)
    (file,) = tmp_path.iterdir()
    text = file.read_bytes().decode()
    assert f"https://auth.example/not-me?token=lt_{'A' * 120}" in text
    assert f"Hello {name}," in text
    (message,) = read_mails(tmp_path)
    assert name in read_text(message)
