"""Who is let in, who is told to come back, and how they are told."""

import io
import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

import pytest

from authserver.protocol.pause import LONGEST_PAUSE
from authserver.web.edge.crowd import Admission, Crowd
from authserver.web.edge.places import share_out
from tests.support.world.clock import ManualClock
from tests.support.world.entropy import SeededEntropy

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


def _ask(admission: Admission, path: str, body: bytes = b"") -> tuple[str, dict[str, str], bytes]:
    told: list[tuple[str, list[tuple[str, str]]]] = []
    environ = {"PATH_INFO": path, "CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body)}
    answer = b"".join(admission(environ, lambda *said: told.append(said)))  # type: ignore[arg-type]
    assert environ["wsgi.input"].read() == b"", "the client can send all it wants, and reads the answer then"  # type: ignore[attr-defined]
    return told[0][0], dict(told[0][1]), answer


class _Nested:
    """While it answers the first request it asks for `then`, which comes on top."""

    def __init__(self, then: str) -> None:
        self._then = then
        self.admission: Admission
        self.inner: tuple[str, dict[str, str], bytes] | None = None

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        environ["wsgi.input"].read()
        if self.inner is None:
            self.inner = ("", {}, b"")
            self.inner = _ask(self.admission, self._then, b"body")
        start_response("200 OK", [])
        return [b"done"]


def _answer_on_top(
    then: str, clock: ManualClock, entropy: SeededEntropy, crowd: Crowd
) -> tuple[str, dict[str, str], bytes]:
    nested = _Nested(then)
    own = {"/healthz": None, "/oauth/revocations": Crowd(1, 1)}
    nested.admission = Admission(nested, crowd, own, Crowd(1, 1), clock, entropy)
    assert _ask(nested.admission, "/oauth/token", b"body")[0] == "200 OK"
    assert nested.inner is not None
    assert _ask(nested.admission, "/oauth/token", b"body")[0] == "200 OK", "places are given back"
    return nested.inner


@pytest.mark.parametrize(
    ("then", "crowd", "status"),
    [
        ("/oauth/token", Crowd(2, 1), "503 Service Unavailable"),
        ("/oauth/token/made/up", Crowd(2, 1), "503 Service Unavailable"),
        ("/api/login", Crowd(1, 1), "503 Service Unavailable"),
        ("/login", Crowd(1, 1), "503 Service Unavailable"),
        ("/api/login", Crowd(2, 1), "200 OK"),
        ("/healthz", Crowd(1, 1), "200 OK"),
        ("/oauth/revocations", Crowd(1, 1), "200 OK"),
    ],
)
def test_a_request_is_let_in_as_far_as_there_is_a_place(
    then: str, crowd: Crowd, status: str, clock: ManualClock, entropy: SeededEntropy
) -> None:
    said, headers, body = _answer_on_top(then, clock, entropy, crowd)
    assert said == status
    if status == "200 OK":
        return
    assert 1 <= int(headers["Retry-After"]) <= LONGEST_PAUSE
    assert headers["Connection"] == "close"
    if then.startswith("/api/"):
        assert json.loads(body)["code"] == "unavailable"
    elif then.startswith("/oauth/"):
        assert json.loads(body)["error"] == "temporarily_unavailable"


def test_who_is_turned_away_together_comes_back_apart(clock: ManualClock, entropy: SeededEntropy) -> None:
    pauses = {_answer_on_top("/login", clock, entropy, Crowd(1, 1))[1]["Retry-After"] for _ in range(100)}
    assert len(pauses) > 1


@pytest.mark.parametrize("threads", [1, 24, 512])
def test_there_are_threads_for_what_needs_no_database_when_all_places_are_taken(threads: int) -> None:
    places = share_out(threads)
    assert places.door < places.crowd, "one door leaves places to the others"
    assert places.threads > places.crowd + places.feed + places.aside
