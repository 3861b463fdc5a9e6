"""TLS in front of a server on loopback, as a proxy ends it: client libraries refuse an issuer without https."""

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_CHUNK = 65536


@contextmanager
def tls_front(listens_on: int, leads_to: int, chain: Path) -> Iterator[None]:
    """Take TLS connections at the port `listens_on`; pass what they carry to the port `leads_to`, and back."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    context.set_ciphers("ECDHE+AESGCM")  # what BCP 195 recommends for TLS 1.2
    loop = asyncio.new_event_loop()
    ended, ready = asyncio.Event(), threading.Event()

    async def lead(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inside, into = await asyncio.open_connection("127.0.0.1", leads_to)
        try:
            # A connection that is open at the end is cancelled; Python 3.11 would report each one as a failure.
            with suppress(asyncio.CancelledError):
                await asyncio.gather(_pass(reader, into), _pass(inside, writer))
        finally:
            for one in (writer, into):
                one.transport.abort()

    async def serve() -> None:
        async with await asyncio.start_server(lead, "127.0.0.1", listens_on, ssl=context):
            ready.set()
            await ended.wait()

    def run() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:  # which cancels what still runs at its end
            runner.run(serve())

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(10), "the front did not begin to listen"
    try:
        yield
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(10)


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
        writer.close()
