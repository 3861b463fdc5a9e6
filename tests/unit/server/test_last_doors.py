"""The end of a listening socket, on the real kernel."""

import socket
import sys

import pytest

from authserver.server.last_doors import refuse_newcomers

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is no such filter")


@pytest.mark.parametrize(("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_who_is_in_a_socket_stays_and_nobody_new_gets_in(family: socket.AddressFamily, host: str) -> None:
    with socket.create_server((host, 0), family=family) as listener:
        address = listener.getsockname()[:2]
        with socket.create_connection(address) as early, socket.socket(family) as late:
            refuse_newcomers(listener)
            late.settimeout(0.3)
            with pytest.raises(TimeoutError):
                late.connect(address)
            accepted, _ = listener.accept()
            with accepted:
                early.sendall(b"request")
                assert accepted.recv(100) == b"request"
                accepted.sendall(b"answer")
                assert early.recv(100) == b"answer"
            listener.setblocking(False)
            with pytest.raises(BlockingIOError):
                listener.accept()


def test_a_socket_that_takes_no_filter_is_left_as_it_is() -> None:
    """Closing the doors must not fail over it."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.close()
    refuse_newcomers(listener)
