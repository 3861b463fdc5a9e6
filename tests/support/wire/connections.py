"""Watches connections and name look-ups of this process, of any library, with an audit hook of Python."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

_watchers: list[list[str]] = []


@contextmanager
def watched_connections() -> Iterator[list[str]]:
    """Yield a list that fills with the hosts of connections and look-ups, each as `host:port`."""
    _hook()
    seen: list[str] = []
    _watchers.append(seen)
    try:
        yield seen
    finally:
        _watchers.remove(seen)


@cache
def _hook() -> None:
    sys.addaudithook(_note)  # once: a hook stays for good


def _note(event: str, arguments: tuple[Any, ...]) -> None:
    if not _watchers:
        return
    if event == "socket.connect":
        address = arguments[1]
    elif event == "socket.getaddrinfo":
        address = arguments[:2]
    else:
        return
    shown = address if isinstance(address, str) else f"{address[0]}:{address[1]}"
    for seen in _watchers:
        seen.append(shown)
