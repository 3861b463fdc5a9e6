"""Programs for `WarmProcess` whose output is lost: a full disk, a closed stream, a pipe without a reader.

`MUTE` run the commands of the file `script.json` in its folder, one after the other as `authserver` would, and writes
their exit statuses into `statuses.json`.
"""

import io
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from authserver.administration.look_up import list_clients, list_users
from authserver.authentication.open_session import DeviceClaim, RequestSource
from authserver.authentication.sign_in import SignIn, sign_in
from authserver.authentication.sign_out import list_sessions
from authserver.cli.context import Context
from authserver.cli.main import run
from authserver.clients.register_client import FIRST_PARTY_CLIENT_ID
from authserver.clients.registration_tokens import list_registration_tokens
from authserver.keyring.keys import KeyState, Purpose
from authserver.protocol.secret import Secret
from authserver.tokens.token_answer import TokenAnswer

PASSWORD: Final = "nine lives and a garden gate"
SIGN_IN: Final = "sign everybody in"
"""Not a command: a step in the script that opens sessions, for commands that need some."""
_STREAMS: Final = (1, 2)


def walk(spoil: Callable[[int], None] | None) -> None:
    """Run the script; `spoil` makes stdout and stderr unusable for each command."""
    statuses = []
    for command, stdin in json.loads(Path("script.json").read_text()):
        if command == SIGN_IN:
            _sign_everybody_in()
            continue
        sys.argv[1:] = [_resolve(word) for word in command.split()]
        with _spoiled(spoil):
            sys.stdin = io.TextIOWrapper(io.BytesIO(stdin.encode()))
            statuses.append(run())
    Path("statuses.json").write_text(json.dumps(statuses))


def fill(stream: int) -> None:
    """Redirect `stream` to a full disk."""
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, stream)
    os.close(full)


def cut(stream: int) -> None:
    """Make `stream` a pipe whose other end is closed."""
    hear, tell = os.pipe()
    os.dup2(tell, stream)
    os.close(tell)
    os.close(hear)


def close(stream: int) -> None:
    """Leave `stream` as Python finds it if it was closed before the start."""
    os.close(stream)
    if stream == 1:
        sys.stdout = None
    else:
        sys.stderr = None


def run_closed() -> int:
    """Run `authserver` as if stdout and stderr had been closed before its start."""
    for stream in _STREAMS:
        close(stream)
    return run()


MUTE: Final = {"whole": partial(walk, None)} | {spoil.__name__: partial(walk, spoil) for spoil in (fill, cut, close)}
"""The programs; `whole` has a working output, for comparison."""


@contextmanager
def _spoiled(spoil: Callable[[int], None] | None) -> Iterator[None]:
    streams, kept = (sys.stdin, sys.stdout, sys.stderr), [os.dup(stream) for stream in _STREAMS]
    try:
        for stream in _STREAMS if spoil else ():
            spoil(stream)  # type: ignore[misc]
        yield
    finally:
        for stream, copy in zip(_STREAMS, kept, strict=True):
            os.dup2(copy, stream)
            os.close(copy)
        sys.stdin, sys.stdout, sys.stderr = streams


def _resolve(word: str) -> str:
    """Replace a word in braces by the value of this installation."""
    if not word.startswith("{"):
        return word
    with _installation() as context:
        return _look_up(context, *word.strip("{}").split(":"))


@contextmanager
def _installation() -> Iterator[Context]:
    context = Context()
    try:
        yield context
    finally:
        context.close()


def _sign_everybody_in() -> None:
    with _installation() as context:
        for user in list_users(context.realm):
            device, source = DeviceClaim(None, None), RequestSource("192.0.2.1", "test")
            attempt = SignIn(user.email, Secret(PASSWORD), FIRST_PARTY_CLIENT_ID, None, device, source)
            assert isinstance(sign_in(context.realm, attempt), TokenAnswer)


def _look_up(context: Context, what: str, which: str) -> str:
    if what == "client":
        return next(client.client_id for client in list_clients(context.realm) if client.name == which)
    if what == "sid":
        user = next(user for user in list_users(context.realm) if user.email == which)
        return list_sessions(context.realm, user.user_id)[0].session.sid
    if what == "registration":
        return next(token.token_id for token in list_registration_tokens(context.realm) if token.scope == (which,))
    rows = context.custody.load_keys().rows
    keys = [key for key in rows if key.purpose is Purpose.SIGNING and key.state is KeyState(which)]
    return min(keys, key=lambda key: key.algorithm).kid  # keys of one instant come in any order
