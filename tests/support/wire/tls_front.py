"""TLS in front of a server on loopback, as a proxy ends it: client libraries refuse an issuer without https."""

import asyncio
import ssl
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

_CHUNK = 65536


@contextmanager
def tls_front(listens_on: int, leads_to: int, chain: Path) -> Iterator[None]:
    """Take TLS connections at the port `listens_on`; pass what they carry to the port `leads_to`, and back."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    loop = asyncio.new_event_loop()
    ended, ready = asyncio.Event(), threading.Event()

    async def serve() -> None:
        async def lead(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                inside = await asyncio.open_connection("127.0.0.1", leads_to)
            except OSError:
                writer.close()
                return
            await asyncio.gather(_pass(reader, inside[1]), _pass(inside[0], writer))

        async with await asyncio.start_server(lead, "127.0.0.1", listens_on, ssl=context):
            ready.set()
            await ended.wait()

    thread = threading.Thread(target=_run, args=(loop, serve()), daemon=True)
    thread.start()
    assert ready.wait(10), "the front did not begin to listen"
    try:
        yield
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(10)


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError, asyncio.CancelledError):
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
    with suppress(OSError):
        writer.close()


def _run(loop: asyncio.AbstractEventLoop, serving: Coroutine[Any, Any, None]) -> None:
    try:
        loop.run_until_complete(serving)
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
    finally:
        loop.close()
