"""An ASGI body with two readers: the middleware, which looks for a second token, and the application."""

from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]

_MORE: Final = "http.request"


class NoticedBody:
    """The application's `receive`, for a short body: keeps the messages, and replays those that were read ahead."""

    def __init__(self, receive: Receive) -> None:
        """Read from `receive`."""
        self._receive = receive
        self._noted = b""
        self._ahead: deque[Message] = deque()
        self._is_whole = False

    async def __call__(self) -> Message:
        """Return the next message of the request."""
        return self._ahead.popleft() if self._ahead else await self._note()

    async def read(self) -> bytes:
        """Read the whole body, including what the application has read; incomplete if the client disconnects."""
        while not self._is_whole:
            self._ahead.append(await self._note())
        return self._noted

    async def _note(self) -> Message:
        message = await self._receive()
        self._noted += message.get("body", b"")
        self._is_whole = self._is_whole or message["type"] != _MORE or not message.get("more_body", False)
        return message
