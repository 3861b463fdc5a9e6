"""The listening socket, before any worker."""

import socket
from contextlib import closing

from authserver.cli.serving import Serving, listen
from tests.support.processes import free_port


def test_an_answer_does_not_wait_for_the_acknowledgement_of_its_first_half() -> None:
    """Header and body of an answer leave in two packets, and the other side acknowledges one only after 40 ms."""
    serving = Serving("127.0.0.1", free_port(), workers=1, threads=1)
    with closing(listen(serving)) as listener, socket.create_connection((serving.host, serving.port)):
        listener.setblocking(True)
        connection, _ = listener.accept()
        with closing(connection):
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
