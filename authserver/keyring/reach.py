"""Who could read or replace a master key, judged by what its file system says.

Its owner, root, and a group that root gave the file to may; nobody else. So a key that `init` made is 0600, and a
secret that an orchestrator mounts (0440 root:group, in a sticky or read-only folder) is taken as it comes.
"""

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_MOUNT_IT: Final = "mount it readable for its group only (mode 0440; in Kubernetes defaultMode: 0440 with fsGroup)"


@dataclass(frozen=True, slots=True)
class Standing:
    """What a file or folder says about itself, and who asks.

    Attributes:
        path: where it is, for what is said about it.
        mode: its permission bits.
        owner: user id.
        group: group id.
        asker: the user id of this process.
        read_only: it lies on a file system that nobody can write through this mount.
        own_mount: it lies on another file system than `/`: somebody put it there for this system or container.
    """

    path: Path
    mode: int
    owner: int
    group: int
    asker: int
    read_only: bool = False
    own_mount: bool = False

    @property
    def _can_change(self) -> bool:
        return self.asker in {0, self.owner} and not self.read_only

    @property
    def _strangers(self) -> int:
        """The permission bits of those who have no business here."""
        # Group 0 is on everything that root writes by hand: nobody gave that away.
        given = self.owner == 0 and (self.asker != 0 or self.group != 0 or not self.mode & stat.S_IWUSR)
        return stat.S_IRWXO if given else stat.S_IRWXO | stat.S_IRWXG

    def advise(self, mode: str) -> str:
        """How to close it: by `chmod` where this process could do that, else where it is mounted."""
        return f"run: chmod {mode} {self.path}" if self._can_change else _MOUNT_IT


def look_at(path: Path, status: os.stat_result) -> Standing:
    """The standing of `path`, whose status the caller has."""
    return Standing(
        path=path,
        mode=stat.S_IMODE(status.st_mode),
        owner=status.st_uid,
        group=status.st_gid,
        asker=os.geteuid(),
        read_only=bool(os.statvfs(path).f_flag & os.ST_RDONLY),
        own_mount=status.st_dev != Path("/").stat().st_dev,
    )


def find_foreign_owner(path: Path, status: os.stat_result) -> str | None:
    """What is wrong with the owner, who can always change the file; None when nothing is."""
    if status.st_uid in {os.geteuid(), 0}:
        return None
    return f"{path}: belongs to another user; it must belong to the one that runs the server, or to root"


def find_reader(standing: Standing) -> str | None:
    """What is wrong with who reaches a file that holds a key; None when nothing is."""
    if standing.owner == 0 and standing.read_only and standing.own_mount:
        return None  # a secret's own mount, as Docker and Kubernetes make it: whoever sees it was given it
    if not standing.mode & standing._strangers:  # noqa: SLF001 - the judgement about a Standing is this file
        return None
    return f"{standing.path}: others than its owner can reach it; {standing.advise('600')}"


def find_replacer(standing: Standing) -> str | None:
    """What is wrong with who can put another file into a folder that holds a key; None when nothing is."""
    # In a sticky folder others can add files, which are refused for their owner, and replace none.
    closed = standing.read_only or standing.mode & stat.S_ISVTX
    writers = standing.mode & standing._strangers & (stat.S_IWGRP | stat.S_IWOTH)  # noqa: SLF001 - as above
    if closed or not writers:
        return None
    return f"{standing.path}: others can replace the master key; {standing.advise('700')}"
