"""Delivery into a folder, if no mail server is set: for development, and for programs that fetch mails from there.

The links in the files work, so only the owner of the folder may read them.
"""

import os
import tempfile
from contextlib import suppress
from copy import deepcopy
from email.message import EmailMessage
from pathlib import Path
from typing import Final, final

from authserver.deliveries.outcome import Delivered, Failed

_LONGEST_LINE: Final = 990  # bytes; RFC 5322 §2.1.1 has 998


@final
class FileCarrier:
    """Writes each message into a file of its own; a copy of the same mail replaces the first."""

    __slots__ = ("_folder",)

    def __init__(self, folder: Path) -> None:
        """Write into `folder`, which is created when it is needed."""
        self._folder = folder

    def deliver(self, message: EmailMessage, address: str) -> Delivered | Failed:
        """Write `message` into the folder."""
        del address
        name = f"{message['Date'].datetime:%Y%m%dT%H%M%SZ}-{str(message['Message-ID'])[1:].partition('@')[0]}.eml"
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._write(self._folder / name, _spell_out(message).as_bytes())
        except OSError as error:
            return Failed(f"{type(error).__name__}: {self._folder}: {error.strerror}")
        return Delivered()

    def _write(self, file: Path, content: bytes) -> None:
        descriptor, draft = tempfile.mkstemp(dir=self._folder, prefix=".", suffix=".draft")  # with 0600
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            Path(draft).replace(file)
        except BaseException:
            with suppress(OSError):
                Path(draft).unlink()
            raise


def _spell_out(message: EmailMessage) -> EmailMessage:
    """Make a copy with unencoded texts, from which a person can copy the link.

    Quoted-printable, which a non-ASCII name needs on its way through mail servers, would break the link.
    """
    copy = deepcopy(message)
    for part in copy.walk():
        if part.get_content_maintype() == "text":
            text = part.get_content()
            if all(len(line.encode()) < _LONGEST_LINE for line in text.splitlines()):
                part.set_content(text, subtype=part.get_content_subtype(), cte="8bit")
    return copy
