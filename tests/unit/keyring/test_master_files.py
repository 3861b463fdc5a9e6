"""The folder of master keys: what is created there, and every state of it that start refuses."""

import os
import stat
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from authserver.keyring.errors import MasterKeyError
from authserver.keyring.master_files import create_master_key, ensure_master_key, load_master_keys
from tests.support.world.clock import START
from tests.support.world.entropy import SeededEntropy

ENTROPY = SeededEntropy()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "keys"


def create(folder: Path) -> Path:
    return create_master_key(folder, now=START, entropy=ENTROPY)


def test_a_new_master_key_is_readable_by_its_owner_only(folder: Path) -> None:
    """ASVS 13.3.1."""
    path = create(folder)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert len(load_master_keys(folder).keys) == 1


def test_a_folder_that_was_open_to_others_is_closed(folder: Path) -> None:
    folder.mkdir(mode=0o775)
    create(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_creating_never_overwrites_and_leaves_no_draft(folder: Path) -> None:
    path = create(folder)
    before = path.read_bytes()
    with pytest.raises(MasterKeyError, match="no master key was written"):
        create(folder)
    assert path.read_bytes() == before
    assert list(folder.iterdir()) == [path]


def test_a_folder_that_cannot_be_made_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(MasterKeyError, match="no master key was written"):
        create(tmp_path / "file" / "keys")


def test_the_first_master_key_is_made_once(folder: Path) -> None:
    assert ensure_master_key(folder, now=START, entropy=ENTROPY) is not None
    assert ensure_master_key(folder, now=START + timedelta(days=1), entropy=ENTROPY) is None
    assert len(load_master_keys(folder).keys) == 1


def test_a_broken_master_key_is_not_papered_over_by_a_new_one(folder: Path) -> None:
    """Its keys in the database would be lost without a word."""
    create(folder).write_bytes(b"")
    assert ensure_master_key(folder, now=START + timedelta(days=1), entropy=ENTROPY) is None


def test_the_newest_master_key_comes_first(folder: Path) -> None:
    create(folder)
    old = load_master_keys(folder).fingerprints
    create_master_key(folder, now=START + timedelta(days=1), entropy=ENTROPY)
    assert load_master_keys(folder).fingerprints[1:] == old


def test_other_files_in_the_folder_are_none_of_our_business(folder: Path) -> None:
    create(folder)
    (folder / "README.md").write_text("about this folder")
    (folder / "master.aaaa.draft").touch()
    assert len(load_master_keys(folder).keys) == 1


def remove(path: Path) -> None:
    path.unlink()


def empty(path: Path) -> None:
    path.write_bytes(b"")


def blank(path: Path) -> None:
    path.write_bytes(b"\n\n")


def garbage(path: Path) -> None:
    path.write_bytes(bytes(range(256)))


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:30])


def another_kind(path: Path) -> None:
    path.write_text("-----BEGIN CERTIFICATE-----\n")


def oversized(path: Path) -> None:
    path.write_bytes(b"A" * 100_000)


def readable_by_all(path: Path) -> None:
    path.chmod(0o644)


def readable_by_group(path: Path) -> None:
    path.chmod(0o640)


def directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path, 0o600)


def dangling_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


def folder_missing(path: Path) -> None:
    path.unlink()
    path.parent.rmdir()


def folder_is_a_file(path: Path) -> None:
    path.unlink()
    path.parent.rmdir()
    path.parent.touch(mode=0o600)


def folder_writable_by_all(path: Path) -> None:
    path.parent.chmod(0o777)


@pytest.mark.parametrize(
    ("break_it", "line"),
    [
        (remove, "holds no master key"),
        (empty, "is empty"),
        (blank, "is empty"),
        (garbage, "is not a master key"),
        (truncated, "is not a master key"),
        (another_kind, "is not a master key"),
        (oversized, "is not a master key"),
        (readable_by_all, "chmod 600"),
        (readable_by_group, "chmod 600"),
        (directory, "is a directory"),
        (pipe, "is not a regular file"),
        (dangling_link, "no such file"),
        (folder_missing, "does not exist"),
        (folder_is_a_file, "not a directory"),
        (folder_writable_by_all, "chmod 700"),
    ],
)
def test_a_folder_that_cannot_be_trusted_is_refused_in_one_clear_line(
    folder: Path, break_it: Callable[[Path], None], line: str
) -> None:
    """F19, ASVS 13.3.1."""
    break_it(create(folder))
    with pytest.raises(MasterKeyError, match=line) as refusal:
        load_master_keys(folder)
    assert "\n" not in str(refusal.value)
    assert str(folder) in str(refusal.value)


def test_one_broken_file_among_good_ones_is_refused(folder: Path) -> None:
    """F19: silently going on without it could make every sealed key unreadable after the next restart."""
    create(folder)
    (folder / "zzz.key").touch(mode=0o600)
    with pytest.raises(MasterKeyError, match=r"zzz\.key"):
        load_master_keys(folder)


def test_a_file_of_another_user_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """F19: whoever owns the file can change it."""
    path = create(folder)
    owner = path.stat().st_uid
    if owner == 0:
        os.chown(path, 12345, -1)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    with pytest.raises(MasterKeyError, match="another user"):
        load_master_keys(folder)
