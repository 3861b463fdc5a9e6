"""The end of a listening socket: who has been let in by then is heard, and who comes later is refused.

A listening socket that is closed resets the connections that wait in it, whose clients have been told that they are
connected and may have sent their request. So the kernel first stops letting anybody in, by a filter that drops the
packet with which a connection begins (SYN). Those who are inside are accepted and answered meanwhile; then the last
process closes the socket. A client that was dropped asks again after a second by itself (RFC 6298 §2), and is refused.
"""

import ctypes
import socket
import struct
import sys
from contextlib import suppress
from typing import Final

_SO_ATTACH_FILTER: Final = 26  # asm-generic/socket.h; Python has no name for it
_FLAGS_AT, _SYN = 13, 0x02  # RFC 9293 §3.1
# Classic BPF, linux/filter.h: (code, jump if true, jump if false, operand).
_INSTRUCTIONS: Final = (
    (0x30, 0, 0, _FLAGS_AT),  # load the byte
    (0x45, 0, 1, _SYN),  # is the bit set?
    (0x06, 0, 0, 0),  # then keep nothing of the packet
    (0x06, 0, 0, 0xFFFF),  # else all of it
)
_PROGRAM: Final = b"".join(struct.pack("HBBI", *instruction) for instruction in _INSTRUCTIONS)


def refuse_newcomers(listener: socket.socket) -> None:
    """Let nobody new in, in any process that has this socket. Who waits in it, waits on.

    Only Linux has the filter. Elsewhere, who comes in the last moment may be reset.
    """
    if sys.platform != "linux":
        return
    program = ctypes.create_string_buffer(_PROGRAM, len(_PROGRAM))
    with suppress(OSError):  # a sandbox may forbid it; then it ends as elsewhere
        listener.setsockopt(
            socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HL", len(_INSTRUCTIONS), ctypes.addressof(program))
        )
