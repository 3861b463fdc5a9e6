"""How the server logs: one event a line, text on a terminal, JSON elsewhere; UTC; to stderr.

JSON escapes every control character, and the text form is for terminals of developers: a name with a line break in it
cannot forge a second line (ASVS 16.4.1).
"""

import logging
import sys
from typing import Literal

import structlog

Format = Literal["text", "json"]


def configure_logs(log_format: Format | None, level: str) -> None:
    """Configure structlog for this process. `log_format` None chooses by whether stderr is a terminal."""
    if log_format is None:
        log_format = "text" if sys.stderr.isatty() else "json"
    renderer = structlog.processors.JSONRenderer() if log_format == "json" else structlog.dev.ConsoleRenderer()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
