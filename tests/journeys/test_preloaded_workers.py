"""A resource server under gunicorn that loads the application, uses it, and forks then."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from authserver.protocol.revocation_feed import TokenEntry
from tests.support.people.following import PAIR
from tests.support.wire.http import HttpClient, answers
from tests.support.world.issuer import CLIENT_ID, CLIENT_SECRET, running_issuer
from tests.support.world.processes import end, free_port, wait_until
from tests.support.world.tokens import AUDIENCE

APPLICATION = """
from flask import Flask
from authserver.verifier import Verifier
from authserver.verifier.flask import FlaskVerifier

app = Flask(__name__)
verifier = Verifier({issuer!r}, {audience!r}, {client_id!r}, {client_secret!r})
verifier.verify({token!r})  # in the parent: keys, feed and thread are there before the fork
guard = FlaskVerifier(verifier, app)

@app.get("/")
def root():
    return "here"

@app.get("/me")
@guard.require_token()
def me():
    return "me"
"""


@pytest.mark.parametrize("worker", ["gevent", "gthread"])
def test_a_worker_that_was_forked_from_a_used_application_follows_the_feed(worker: str, tmp_path: Path) -> None:
    """Gevent patches threads, queues and sockets in the worker, after all of this was imported and used."""
    now = int(time.time())
    with running_issuer(PAIR) as issuer:
        token, other = (issuer.token(iat=now, exp=now + 300, jti=jti) for jti in ("one", "other"))
        (tmp_path / "guarded.py").write_text(
            APPLICATION.format(
                issuer=issuer.url, audience=AUDIENCE, client_id=CLIENT_ID, client_secret=CLIENT_SECRET, token=token
            )
        )
        port = free_port()
        options = ["--preload", "--worker-class", worker, "--workers", "1", "--bind", f"127.0.0.1:{port}"]
        command = [sys.executable, "-m", "gunicorn", *options, "--chdir", str(tmp_path), "guarded:app"]
        with (tmp_path / "log").open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            wait_until(lambda: answers(port), "the start of gunicorn")

            def ask(token: str) -> int:
                with HttpClient(port) as client:
                    return client.get("/me", bearer=token).status

            time.sleep(2)  # until what the parent knew is no longer punctual, and the worker has to look by itself
            issuer.feed.add(TokenEntry("one", now))
            wait_until(lambda: ask(token) == 401, "the revocation")
            assert ask(other) == 200
        finally:
            end(process)
