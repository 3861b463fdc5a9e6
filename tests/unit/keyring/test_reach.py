"""Who could read or replace a master key, for each way in which one is kept or mounted."""

import os
from pathlib import Path

import pytest

from authserver.keyring.errors import MasterKeyError
from authserver.keyring.master_files import create_master_key, load_master_keys
from authserver.keyring.reach import Standing, find_reader, find_replacer, look_at
from tests.support.world.clock import START
from tests.support.world.entropy import SeededEntropy

ROOT, SERVER, GROUP = 0, 10001, 10002


def stand(mode: int, owner: int, group: int, asker: int = SERVER, *, mounted: bool = False) -> Standing:
    return Standing(Path("/keys"), mode, owner, group, asker, read_only=mounted, own_mount=mounted)


@pytest.mark.parametrize(
    "file",
    [
        pytest.param(stand(0o600, SERVER, SERVER), id="as init makes it"),
        pytest.param(stand(0o400, ROOT, ROOT, ROOT), id="root's own"),
        pytest.param(stand(0o440, ROOT, GROUP), id="a secret with fsGroup"),
        pytest.param(stand(0o640, ROOT, GROUP), id="a group that root gave it to"),
        pytest.param(stand(0o440, ROOT, GROUP, ROOT), id="a secret with fsGroup, read by root"),
        pytest.param(stand(0o440, ROOT, ROOT, ROOT), id="a secret of root's group, read by root"),
        pytest.param(stand(0o444, ROOT, ROOT, mounted=True), id="a secret's own mount, Docker's default"),
        pytest.param(stand(0o644, ROOT, ROOT, mounted=True), id="a secret's own mount, Kubernetes' default"),
    ],
)
def test_a_key_within_reach_of_its_owner_root_and_a_given_group_is_taken(file: Standing) -> None:
    assert find_reader(file) is None


@pytest.mark.parametrize(
    ("file", "remedy"),
    [
        (stand(0o640, SERVER, GROUP), "chmod 600"),  # nobody but its owner gave it to that group
        (stand(0o644, SERVER, SERVER), "chmod 600"),
        (stand(0o640, ROOT, ROOT, ROOT), "chmod 600"),
        (stand(0o644, ROOT, ROOT, ROOT), "chmod 600"),
        (stand(0o444, ROOT, GROUP), "mode 0440"),  # chmod is root's, whom this process is not
        (stand(0o444, SERVER, GROUP, mounted=True), "mode 0440"),  # nobody can chmod through a read-only mount
    ],
)
def test_a_key_within_reach_of_others_is_refused_with_a_remedy_that_works_there(file: Standing, remedy: str) -> None:
    problem = find_reader(file)
    assert problem is not None
    assert remedy in problem


@pytest.mark.parametrize(
    ("folder", "remedy"),
    [
        (stand(0o700, SERVER, SERVER), None),
        (stand(0o755, ROOT, ROOT), None),
        (stand(0o2770, ROOT, GROUP), None),
        (stand(0o1777, ROOT, ROOT), None),  # sticky: what others add is refused for its owner
        (stand(0o3777, ROOT, GROUP), None),
        (stand(0o777, ROOT, ROOT, mounted=True), None),
        (stand(0o770, SERVER, GROUP), "chmod 700"),
        (stand(0o777, ROOT, ROOT, ROOT), "chmod 700"),
        (stand(0o777, ROOT, GROUP), "mode 0440"),
    ],
)
def test_a_folder_is_judged_by_who_can_replace_a_key_in_it(folder: Standing, remedy: str | None) -> None:
    problem = find_replacer(folder)
    assert problem is None if remedy is None else problem is not None and remedy in problem


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A secret as Kubernetes mounts it: each file a link into `..data`, itself a link to a folder of the day."""
    made = create_master_key(tmp_path / "made", now=START, entropy=SeededEntropy())
    mount, day = tmp_path / "secret", tmp_path / "secret" / "..2026_11_25"
    day.mkdir(parents=True)
    made.rename(day / "master.key")
    (day / "master.key").chmod(0o400)
    (mount / "..data").symlink_to(day.name)
    (mount / "master.key").symlink_to("..data/master.key")
    mount.chmod(0o1777)
    day.chmod(0o755)
    return mount


def test_a_secret_of_kubernetes_is_read_through_its_links(secret: Path) -> None:
    assert len(load_master_keys(secret).keys) == 1


def test_the_folder_that_a_link_leads_to_is_judged_too(secret: Path) -> None:
    (secret / "..data").resolve().chmod(0o777)
    with pytest.raises(MasterKeyError, match="can replace the master key"):
        load_master_keys(secret)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a link away")
def test_a_link_of_another_user_in_a_sticky_folder_is_refused(secret: Path) -> None:
    link = secret / "zzz.key"
    link.symlink_to("master.key")
    os.lchown(link, SERVER, -1)
    with pytest.raises(MasterKeyError, match="another user"):
        load_master_keys(secret)


def test_what_the_file_system_says_is_what_is_judged(tmp_path: Path) -> None:
    tmp_path.chmod(0o1770)
    found = look_at(tmp_path, tmp_path.stat())
    assert (found.mode, found.owner, found.asker, found.read_only) == (0o1770, os.geteuid(), os.geteuid(), False)
    proc = Path("/proc/self")
    assert look_at(proc, proc.stat()).own_mount
