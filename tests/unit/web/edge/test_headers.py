"""Headers that every answer carries."""

from typing import Any

import pytest

from authserver.web.edge.headers import complete_headers


def ask(own: list[tuple[str, str]], *, https: bool) -> list[tuple[str, str]]:
    """The headers of an answer whose application sets `own`."""
    sent: list[tuple[str, str]] = []

    def application(_environ: dict[str, Any], start_response: Any) -> list[bytes]:  # noqa: ANN401
        start_response("200 OK", own)
        return [b""]

    def start_response(_status: str, headers: list[tuple[str, str]], *_error: object) -> Any:  # noqa: ANN401
        sent.extend(headers)

    complete_headers(application, https=https)({}, start_response)
    return sent


@pytest.mark.parametrize("https", [False, True])
def test_every_answer_has_the_usual_headers(https: bool) -> None:  # noqa: FBT001 - the table's column
    """ASVS 3.4.1, 3.4.4, 3.4.5."""
    headers = dict(ask([("Content-Type", "text/plain")], https=https))
    assert headers["Content-Type"] == "text/plain"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert ("Strict-Transport-Security" in headers) == https
    assert headers["Server"] == ""


def test_what_an_answer_sets_itself_stays() -> None:
    policy = ("content-security-policy", "default-src 'self'")
    assert [pair for pair in ask([policy], https=True) if pair[0].lower() == policy[0]] == [policy]
