"""Client libraries for Node.js: a script of `tests/libraries/node` runs, and the test does what it asks on the way.

`make test` installs what `package-lock.json` names. Where that is missing the test fails: a skipped library would hide
that it cannot talk to the server.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from tests.support.world.processes import PATIENCE
from tests.support.world.server import ROOT

SCRIPTS: Final = ROOT / "tests" / "libraries" / "node"
_NODE: Final = Path(sys.prefix) / "bin" / "node"

Answers = Mapping[str, Callable[[Any], Any]]
"""What a script may ask, and how it is answered: JSON in, JSON out."""


def converse(script: str, given: Mapping[str, Any], answers: Answers, *, roots: Path) -> dict[str, Any]:
    """Run `script` with `given`; return what it says at its end. It trusts the certificates of `roots`, too."""
    assert _NODE.exists(), f"{_NODE} is missing: make test installs it"
    assert (SCRIPTS / "node_modules").is_dir(), "the packages for Node.js are missing: make libraries"
    environment = {**os.environ, "NODE_EXTRA_CA_CERTS": str(roots)}
    with (
        tempfile.TemporaryFile("w+") as complaints,
        subprocess.Popen(
            [_NODE, SCRIPTS / script, json.dumps(given)],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            text=True,
        ) as process,
    ):
        patience = threading.Timer(PATIENCE * 3, process.kill)
        patience.start()
        try:
            said = _answer_all(process, answers)
            process.wait(PATIENCE)
        finally:
            patience.cancel()
            process.kill()
        complaints.seek(0)
        assert said is not None, complaints.read()
        assert process.returncode == 0, complaints.read()
    return said


def _answer_all(process: "subprocess.Popen[str]", answers: Answers) -> dict[str, Any] | None:
    assert process.stdin is not None
    assert process.stdout is not None
    for line in process.stdout:
        asked = json.loads(line)
        if "done" in asked:
            done: dict[str, Any] = asked["done"]
            return done
        process.stdin.write(json.dumps(answers[asked["ask"]](asked["value"])) + "\n")
        process.stdin.flush()
    return None
