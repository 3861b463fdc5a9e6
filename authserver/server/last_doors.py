"""The end of a listening socket: waiting connections are still answered, and later ones are refused.

Closing a listening socket resets the connections that wait in its queue, although their clients are connected and may
have sent a request. So the kernel first drops new connections, by a filter on the packet that begins one (SYN). The
waiting connections are accepted and answered meanwhile. Then the last process closes the socket. A client whose SYN was
dropped sends it again after a second (RFC 6298 §2), and is refused.
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
    (0x06, 0, 0, 0),  # if so, drop the packet
    (0x06, 0, 0, 0xFFFF),  # otherwise keep all of it
)
_PROGRAM: Final = b"".join(struct.pack("HBBI", *instruction) for instruction in _INSTRUCTIONS)


def refuse_newcomers(listener: socket.socket) -> None:
    """Refuse new connections in all processes that share this socket. Connections in its queue stay there.

    Only Linux has the filter. On other systems, connections of the last moment may be reset.
    """
    if sys.platform != "linux":
        return
    program = ctypes.create_string_buffer(_PROGRAM, len(_PROGRAM))
    with suppress(OSError):  # a sandbox may forbid the filter; the end is then that of other systems
        listener.setsockopt(
            socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HL", len(_INSTRUCTIONS), ctypes.addressof(program))
        )
