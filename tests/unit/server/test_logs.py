"""A log line never decides what happens to a request."""

import io
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from authserver.server.logs import configure_logs
from tests.support.world.processes import PATIENCE
from tests.support.world.time_limit import time_limit


@pytest.fixture(autouse=True)
def kept_configuration() -> Iterator[None]:
    """Logging is as it was before, for the tests that come after."""
    kept = structlog.get_config()
    yield
    structlog.configure(**kept)


def log_to(stream: object, monkeypatch: pytest.MonkeyPatch) -> structlog.typing.FilteringBoundLogger:
    monkeypatch.setattr(sys, "stderr", stream)
    configure_logs("json", "info")
    logger: structlog.typing.FilteringBoundLogger = structlog.get_logger()
    return logger


class Refusing(io.StringIO):
    """A stream of somebody else's, without a descriptor."""

    def write(self, _text: str, /) -> int:
        raise OSError


def closed() -> io.StringIO:
    stream = io.StringIO()
    stream.close()
    return stream


@pytest.mark.parametrize("stream", [None, Refusing(), closed()], ids=["none", "refusing", "closed"])
def test_a_stream_that_cannot_be_written_raises_nothing(stream: object, monkeypatch: pytest.MonkeyPatch) -> None:
    logger = log_to(stream, monkeypatch)
    for level in ("debug", "info", "warning", "error", "critical"):
        getattr(logger, level)("said", about="something")
    logger.error("failed", exc_info=ZeroDivisionError())


def test_a_full_disk_raises_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with Path("/dev/full").open("ab", buffering=0) as full:
        log_to(io.TextIOWrapper(full, write_through=True), monkeypatch).info("said")


@time_limit(PATIENCE)
def test_a_pipe_that_nobody_reads_holds_nobody_and_what_was_lost_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader stops, so the pipe fills; then it reads on, and hears of the gap."""
    hear, tell = os.pipe()
    with os.fdopen(hear, "rb", buffering=0) as reader, os.fdopen(tell, "w", encoding="utf-8") as stream:
        logger = log_to(stream, monkeypatch)
        for number in range(300):
            logger.info("said", number=number, filling="x" * 1000)
        heard = b""
        while b'"number": 0,' not in heard or not heard.endswith(b"\n"):
            heard += reader.read(1 << 20)
        logger.info("said", number=300)
        lines = [json.loads(line) for line in (heard + reader.read(1 << 20)).splitlines() if line.strip()]
    *_, last, gap = lines
    assert last["number"] == 300
    assert gap["event"] == "log_lines_lost"
    assert gap["lines"] == 300 - (len(lines) - 2) > 0


def test_without_a_terminal_and_without_a_stream_lines_are_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    configure_logs(None, "info")
    assert isinstance(structlog.get_config()["processors"][-1], structlog.processors.JSONRenderer)
