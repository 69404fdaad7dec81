"""A TCP port on 127.0.0.1 that stays ours while the server on it comes and goes.

Asking the kernel for a free port and closing it again leaves a gap in which somebody else may be
given the same one, at the first start and at every restart. So the socket stays bound and never
listens: on Linux a server that sets SO_REUSEADDR, as all of ours do, may bind and listen beside
it, while the kernel gives the port to nobody who asks for any free one. Elsewhere the rules
differ, so the socket is closed at once and the gap remains.
"""

import os
import socket
import sys
import weakref

from devstack import DevstackError

HOST = "127.0.0.1"


class PortTaken(DevstackError):
    """Another program listens on the port that was asked for."""


class HeldPort:
    """One port, held until this object is gone; `int(port)` is its number."""

    def __init__(self, number: int | None = None) -> None:
        """Hold the port `number`, or any free one.

        :raises PortTaken: when a program listens on `number` already.
        """
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
            if number is not None:
                # Connections of an earlier run may linger in TIME_WAIT on a chosen port.
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                sock.bind((HOST, number or 0))
            except OSError as taken:
                raise PortTaken(f"cannot use port {number} on {HOST}: {taken.strerror}") from taken
            # Only after an unshared bind is a port of the kernel's choice surely nobody else's.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._number: int = sock.getsockname()[1]
            if sys.platform == "linux":
                weakref.finalize(self, os.close, sock.detach())

    def __int__(self) -> int:
        """Return the number of the port."""
        return self._number
