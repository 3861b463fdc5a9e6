"""The folder of master keys: one file each, `*.key`, readable by its owner only.

The last name in alphabetical order is the newest key; names made here begin with the date, so that order is age.
A server that cannot trust what it finds here does not start, and says why in one line.
"""

import os
import stat
from datetime import datetime
from pathlib import Path

from authserver.keyring.errors import MasterKeyError
from authserver.keyring.sealing import MasterKey, MasterKeys
from authserver.protocol.entropy import Entropy

_PATTERN = "*.key"
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_LONGEST_FILE = 1024


def load_master_keys(folder: Path) -> MasterKeys:
    """The keys in `folder`, newest first; `MasterKeyError` if there is none, or one cannot be trusted."""
    try:
        status = folder.stat()
        paths = _list_files(folder)
    except FileNotFoundError:
        raise MasterKeyError(f"{folder}: does not exist; `authserver init` creates it with a master key") from None
    except OSError as error:
        raise MasterKeyError(f"{folder}: {_reason(error)}") from None
    _refuse_foreign(folder, status)
    if status.st_mode & _OTHERS_WRITE:
        raise MasterKeyError(f"{folder}: others can replace the master key; run: chmod 700 {folder}")
    if not paths:
        raise MasterKeyError(f"{folder}: holds no master key (*.key); `authserver init` creates one")
    return MasterKeys(tuple(_read(path) for path in paths))


def ensure_master_key(folder: Path, *, now: datetime, entropy: Entropy) -> Path | None:
    """Create the first master key of an installation; None if there is a file that looks like one, sound or not."""
    if folder.is_dir() and _list_files(folder):
        return None
    return create_master_key(folder, now=now, entropy=entropy)


def create_master_key(folder: Path, *, now: datetime, entropy: Entropy) -> Path:
    """Write a new master key, which becomes the newest, and return its file. Never overwrites.

    The file appears whole or not at all, with mode 0600. A folder that does not exist is made; one that exists is
    closed to others.
    """
    path = folder / f"master-{now:%Y%m%dT%H%M%SZ}.key"
    draft = path.with_suffix(f".{entropy(4).hex()}.draft")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        _write(draft, MasterKey.generate_text(entropy))
        try:
            os.link(draft, path)  # unlike a rename, this fails if the name is taken
        finally:
            draft.unlink()
        _sync(folder)
    except OSError as error:
        raise MasterKeyError(f"{path}: {_reason(error)}; no master key was written") from None
    return path


def _write(path: Path, text: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _list_files(folder: Path) -> list[Path]:
    return sorted((path for path in folder.iterdir() if path.match(_PATTERN)), reverse=True)


def _read(path: Path) -> MasterKey:
    try:
        # Without O_NONBLOCK a named pipe in this place would hang the start.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise MasterKeyError(f"{path}: {_reason(error)}") from None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            kind = "a directory" if stat.S_ISDIR(status.st_mode) else "no regular file"
            raise MasterKeyError(f"{path}: is {kind}, not a master key")
        _refuse_foreign(path, status)
        if status.st_mode & _OTHERS:
            raise MasterKeyError(f"{path}: others than its owner can reach it; run: chmod 600 {path}")
        text = os.read(descriptor, _LONGEST_FILE)
    finally:
        os.close(descriptor)
    if not text.strip():
        raise MasterKeyError(f"{path}: is empty; restore it from where it is kept")
    try:
        return MasterKey.read(text)
    except ValueError:
        raise MasterKeyError(f"{path}: is not a master key; restore it from where it is kept") from None


def _refuse_foreign(path: Path, status: os.stat_result) -> None:
    if status.st_uid not in {os.geteuid(), 0}:
        raise MasterKeyError(f"{path}: belongs to another user; it must belong to the one that runs the server")


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _reason(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()
