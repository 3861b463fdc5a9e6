"""Judges who could read or replace a master key, by its file's owner, group, mode and mount.

Only its owner, root, and a group to which root gave the file may do so. So a key that `init` made is 0600, and a secret
that an orchestrator mounts (0440 root:group, in a sticky or read-only folder) is accepted unchanged.
"""

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_MOUNT_IT: Final = "mount it readable for its group only (mode 0440; in Kubernetes defaultMode: 0440 with fsGroup)"


@dataclass(frozen=True, slots=True)
class Standing:
    """The access data of a file or folder, and the user of this process.

    Attributes:
        path: where it is, for messages.
        mode: its permission bits.
        owner: user id.
        group: group id.
        asker: the user id of this process.
        read_only: whether its file system cannot be written through this mount.
        own_mount: whether it lies on another file system than `/`, mounted for this system or container.
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
        """The permission bits of users who must have no access."""
        # Every file that root writes by hand has group 0, so group 0 does not show that root gave the file away.
        given = self.owner == 0 and (self.asker != 0 or self.group != 0 or not self.mode & stat.S_IWUSR)
        return stat.S_IRWXO if given else stat.S_IRWXO | stat.S_IRWXG

    def advise(self, mode: str) -> str:
        """How to close it: by `chmod` if this process can do that, otherwise in the mount."""
        return f"run: chmod {mode} {self.path}" if self._can_change else _MOUNT_IT


def look_at(path: Path, status: os.stat_result) -> Standing:
    """The standing of `path`; the caller passes its `stat` result."""
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
    """Why the owner, who can always change the file, is not acceptable; None if they are."""
    if status.st_uid in {os.geteuid(), 0}:
        return None
    return (
        f"{path}: belongs to another user than the one that runs this command; it must belong to the one that runs the"
        " server, or to root. If it does, run this command as that user, too"
    )


def find_reader(standing: Standing) -> str | None:
    """Why the readers of a key file are not acceptable; None if they are."""
    if standing.owner == 0 and standing.read_only and standing.own_mount:
        return None  # a secret's own mount (Docker, Kubernetes): everybody who sees it was given it
    if not standing.mode & standing._strangers:  # noqa: SLF001 - the judgement about a Standing is this file
        return None
    return f"{standing.path}: others than its owner can reach it; {standing.advise('600')}"


def find_replacer(standing: Standing) -> str | None:
    """Why those who can replace a file in a key folder are not acceptable; None if they are."""
    # In a sticky folder, others can add files (refused because of their owner), but replace none.
    closed = standing.read_only or standing.mode & stat.S_ISVTX
    writers = standing.mode & standing._strangers & (stat.S_IWGRP | stat.S_IWOTH)  # noqa: SLF001 - as above
    if closed or not writers:
        return None
    return f"{standing.path}: others can replace the master key; {standing.advise('700')}"
