"""Commands at a terminal: each runs in its own process, with a pseudo-terminal."""

import os
import pty
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from tests.support.world.server import PRODUCT, ROOT


def type_at_terminal(folder: Path, *words: str, answers: tuple[str, ...]) -> tuple[int, str]:
    """Run `authserver WORDS`, answering each question in order; return exit status and terminal output."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, *PRODUCT, *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    shown, pending = b"", list(answers)
    with suppress(OSError):  # the other end is closed
        while piece := os.read(ours, 4096):
            shown += piece
            if pending and shown.endswith(b": "):
                os.write(ours, f"{pending.pop(0)}\n".encode())
    os.close(ours)
    return process.wait(), shown.decode()
