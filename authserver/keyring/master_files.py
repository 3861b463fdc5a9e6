"""The folder of master keys: one file each, `*.key`, accessible only to those whom `reach` allows.

The last name in alphabetical order is the newest key; names made here begin with the date, so alphabetical order is
order of age. A server that cannot trust this folder does not start, and says why in one line.
"""

import os
import stat
from datetime import datetime
from pathlib import Path

from authserver.keyring.errors import MasterKeyError
from authserver.keyring.reach import find_foreign_owner, find_reader, find_replacer, look_at
from authserver.keyring.sealing import MasterKey, MasterKeys
from authserver.protocol.entropy import Entropy

_PATTERN = "*.key"
_LONGEST_FILE = 1024


def load_master_keys(folder: Path) -> MasterKeys:
    """Load the keys in `folder`, newest first; `MasterKeyError` if there is none, or one cannot be trusted."""
    try:
        paths = _list_files(folder)
        _judge_folders(folder, paths)
    except FileNotFoundError:
        raise MasterKeyError(f"{folder}: does not exist; `authserver init` creates it with a master key") from None
    except OSError as error:
        raise MasterKeyError(f"{folder}: {_reason(error)}") from None
    if not paths:
        raise MasterKeyError(f"{folder}: holds no master key (*.key); `authserver init` creates one")
    return MasterKeys(tuple(_read(path) for path in paths))


def ensure_master_key(folder: Path, *, now: datetime, entropy: Entropy) -> Path | None:
    """Create the first master key of an installation; None if a file already looks like one, intact or not."""
    if folder.is_dir() and _list_files(folder):
        return None
    return create_master_key(folder, now=now, entropy=entropy)


def create_master_key(folder: Path, *, now: datetime, entropy: Entropy) -> Path:
    """Write a new master key, which becomes the newest, and return its file. Never overwrites.

    The file appears complete or not at all, with mode 0600. A missing folder is created; an existing one is closed to
    others.
    """
    path = folder / f"master-{now:%Y%m%dT%H%M%SZ}.key"
    draft = path.with_suffix(f".{entropy(4).hex()}.draft")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if (status := folder.stat()).st_uid == os.geteuid():
            folder.chmod(0o700)
        else:  # a mount, whose mode this process cannot change
            _judge(find_foreign_owner(folder, status), find_replacer(look_at(folder, status)))
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
        # Without O_NONBLOCK, a named pipe in place of the file would hang the start.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise MasterKeyError(f"{path}: {_reason(error)}") from None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            kind = "a directory" if stat.S_ISDIR(status.st_mode) else "not a regular file"
            raise MasterKeyError(f"{path}: is {kind}, not a master key")
        _judge(find_foreign_owner(path, status), find_reader(look_at(path, status)))
        text = os.read(descriptor, _LONGEST_FILE)
    finally:
        os.close(descriptor)
    if not text.strip():
        raise MasterKeyError(f"{path}: is empty; restore it from its backup copy")
    try:
        return MasterKey.read(text)
    except ValueError:
        raise MasterKeyError(f"{path}: is not a master key; restore it from its backup copy") from None


def _judge_folders(folder: Path, paths: list[Path]) -> None:
    """Refuse a folder in which others could replace a key.

    A secret that Kubernetes mounts is a symbolic link into a neighbouring folder, through a second link (`..data`).
    """
    for path in paths:
        if path.is_symlink():
            _judge(find_foreign_owner(path, path.lstat()))
    for each in sorted({folder, *(path.resolve().parent for path in paths if path.exists())}):
        status = each.stat()
        _judge(find_foreign_owner(each, status), find_replacer(look_at(each, status)))


def _judge(*problems: str | None) -> None:
    for problem in problems:
        if problem is not None:
            raise MasterKeyError(problem)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _reason(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()
