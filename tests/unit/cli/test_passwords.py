"""A password on standard input is the line, whatever program wrote it."""

import io
import sys

import click
import pytest

from authserver.cli.passwords import read_password


def read(monkeypatch: pytest.MonkeyPatch, line: bytes) -> str:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(line)))
    return read_password(stdin=True).reveal()


@pytest.mark.parametrize("ending", [b"", b"\n", b"\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_ends_and_a_byte_order_mark_are_no_part_of_it(
    monkeypatch: pytest.MonkeyPatch, mark: bytes, ending: bytes
) -> None:
    """Editors and shells of Windows write both, and nobody could type such a password at the sign-in page."""
    assert read(monkeypatch, mark + "pässword \ufeff".encode() + ending) == "pässword \ufeff"


def test_utf_16_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(click.ClickException, match="not UTF-8 text"):
        read(monkeypatch, "password\n".encode("utf-16"))
