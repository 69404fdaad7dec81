"""A TCP port on 127.0.0.1 that stays reserved while its server restarts.

Asking the kernel for a free port and closing it again leaves a gap in which somebody else may get
the same port, at the first start and at every restart. So the socket stays bound and never listens.
On Linux, a server that sets SO_REUSEADDR, as all of ours do, may still bind and listen, while the
kernel gives the port to nobody who asks for a free one. Elsewhere the rules differ, so the socket
is closed at once and the gap remains.
"""

import os
import socket
import sys
import weakref

from devstack import DevstackError

HOST = "127.0.0.1"


class PortTaken(DevstackError):
    """Another program listens on the requested port."""


class HeldPort:
    """A port, held as long as this object exists; `int(port)` is its number."""

    def __init__(self, number: int | None = None) -> None:
        """Hold port `number`, or any free one.

        :raises PortTaken: a program already listens on `number`.
        """
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
            if number is not None:
                # Connections of an earlier run may linger in TIME_WAIT on the requested port.
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                sock.bind((HOST, number or 0))
            except OSError as taken:
                raise PortTaken(f"cannot use port {number} on {HOST}: {taken.strerror}") from taken
            # Only an unshared bind guarantees that a port chosen by the kernel is ours alone.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._number: int = sock.getsockname()[1]
            if sys.platform == "linux":
                weakref.finalize(self, os.close, sock.detach())

    def __int__(self) -> int:
        """Return the number of the port."""
        return self._number
