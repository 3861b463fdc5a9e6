"""Many people sign in at once, and strangers flood the door: over real sockets, with the default number of threads."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from unittest.mock import patch

import pytest

from authserver import assembly
from authserver.cli.main import run
from authserver.config import Settings
from authserver.credentials.hashing_pool import HashingPool, Places
from authserver.credentials.passwords import PasswordHasher
from authserver.protocol.secret import Secret
from tests.support.wire.http import HttpClient
from tests.support.world.processes import PATIENCE, wait_until
from tests.support.world.server import Installation, install, serving

PASSWORD = "nine lives and a garden gate"
CROWD = 16


@pytest.fixture
def installation(tmp_path: Path, database_url: str) -> Installation:
    return install(tmp_path, database_url)


def fill(installation: Installation, count: int) -> list[str]:
    """The addresses of so many new users. They have one hash, because making sixteen takes its time."""
    hashed = PasswordHasher().hash(Secret(PASSWORD))
    emails = [f"user-{number}@example.test" for number in range(count)]
    file = installation.folder / "users.jsonl"
    file.write_text("".join(json.dumps({"email": email, "password_hash": hashed}) + "\n" for email in emails))
    assert installation.type("users", "import", str(file)).exit_code == 0
    return emails


def run_steadily() -> int:
    """`authserver` whose hashes do not give way to the other tests on this machine; how many may wait is as it is."""
    with patch.object(assembly, "HashingPool", partial(HashingPool, niceness=0, patience=PATIENCE)):
        return run()


def test_sixteen_people_sign_in_at_the_same_moment(installation: Installation) -> None:
    """In one worker: those who wait do so for their turn, and nobody is told to come back."""
    emails = fill(installation, CROWD)
    with serving(installation, workers=1, program=run_steadily) as server:
        together = threading.Barrier(CROWD)

        def sign_in(email: str) -> int:
            with HttpClient(server.port) as client:
                together.wait(PATIENCE)
                return client.post_json("/api/login", email=email, password=PASSWORD).status

        with ThreadPoolExecutor(CROWD) as people:
            assert list(people.map(sign_in, emails)) == [200] * CROWD


def test_a_flood_of_strangers_keeps_neither_the_owner_out_nor_a_session_from_refreshing(
    installation: Installation,
) -> None:
    """On a device where the owner signed in before. Whoever is sent away hears when to come back."""
    (email,) = fill(installation, 1)
    with serving(installation, workers=1, program=run_steadily) as server, HttpClient(server.port) as owner:
        answer = owner.post_json("/api/login", email=email, password=PASSWORD)
        assert answer.status == 200
        known = answer.json["device_token"]
        with flood(server.port) as sent_away:
            wait_until(lambda: len(sent_away) > CROWD, "the flood")
            for _ in range(5):
                again = owner.post_json("/api/login", email=email, password=PASSWORD, device_token=known)
                assert again.status == 200
                token = again.json["refresh_token"]
                form = {"grant_type": "refresh_token", "client_id": "first-party", "refresh_token": token}
                assert owner.post_form("/oauth/token", **form).status == 200
    assert set(sent_away) <= {"1", "2", "3", "4"}


@contextmanager
def flood(port: int) -> Iterator[list[str]]:
    """More strangers than have a place, who try again at once; the list grows with the `Retry-After` they get."""
    sent_away: list[str] = []
    over = threading.Event()

    def try_on(number: int) -> None:
        with HttpClient(port) as client:
            while not over.is_set():
                answer = client.post_json("/api/login", email=f"nobody-{number}@example.test", password="not this one")
                assert answer.status in (401, 503)
                if answer.status == 503:
                    sent_away.append(answer.headers["retry-after"])

    count = Places.among(Settings.model_fields["threads"].default).admitted + 2
    with ThreadPoolExecutor(count) as strangers:
        trying = [strangers.submit(try_on, number) for number in range(count)]
        try:
            yield sent_away
        finally:
            over.set()
        for one in trying:
            one.result(PATIENCE)
