"""Requests whose end is ambiguous, or too far, do not pass the door."""

import io
import json
from typing import Any

import pytest

from authserver.web.edge.guard import guard


def ask(environ: dict[str, Any], *, body_most_bytes: int = 1000) -> tuple[str, dict[str, str], bytes, bool]:
    """Status, header, body, and whether the application was reached."""
    answers: list[tuple[str, dict[str, str]]] = []
    reached: list[dict[str, Any]] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Any:  # noqa: ANN401
        del exc_info
        answers.append((status, dict(headers)))
        return None

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:  # noqa: ANN401
        reached.append(environ)
        start_response("200 OK", [])
        return [b"reached"]

    environ = {"REQUEST_METHOD": "POST", "wsgi.input": io.BytesIO(), "wsgi.input_terminated": True} | environ
    body = b"".join(guard(application, body_most_bytes=body_most_bytes)(environ, start_response))
    ((status, headers),) = answers
    assert not any("wsgi.input_terminated" in one for one in reached), "the framework must count the body itself"
    return status, headers, body, bool(reached)


@pytest.mark.parametrize(
    "environ",
    [{}, {"CONTENT_LENGTH": ""}, {"CONTENT_LENGTH": "0"}, {"CONTENT_LENGTH": "5"}, {"CONTENT_LENGTH": "1000"}],
)
def test_a_body_of_stated_length_passes(environ: dict[str, str]) -> None:
    assert ask(environ)[3]


@pytest.mark.parametrize(
    ("environ", "status"),
    [
        ({"HTTP_TRANSFER_ENCODING": "chunked"}, "411 "),
        ({"HTTP_TRANSFER_ENCODING": "identity"}, "411 "),
        ({"HTTP_TRANSFER_ENCODING": ""}, "411 "),
        ({"HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": "5"}, "400 "),
        ({"HTTP_TRANSFER_ENCODING": "xchunked", "CONTENT_LENGTH": "0"}, "400 "),
        ({"CONTENT_LENGTH": "5, 5"}, "400 "),
        ({"CONTENT_LENGTH": "+5"}, "400 "),
        ({"CONTENT_LENGTH": "-5"}, "400 "),
        ({"CONTENT_LENGTH": "0x5"}, "400 "),
        ({"CONTENT_LENGTH": "\N{ARABIC-INDIC DIGIT FIVE}"}, "400 "),
        ({"CONTENT_LENGTH": "1001"}, "413 "),
        ({"CONTENT_LENGTH": "9" * 5000}, "413 "),
        ({"CONTENT_LENGTH": "00001"}, "413 "),
    ],
)
def test_an_ambiguous_or_oversize_body_is_refused(environ: dict[str, str], status: str) -> None:
    """ASVS 4.2.1: safe against request smuggling."""
    got, headers, body, reached = ask(environ)
    assert got.startswith(status)
    assert not reached
    assert headers["Connection"] == "close"
    assert headers["Content-Length"] == str(len(body))
    assert json.loads(body)["error"] == "invalid_request"
