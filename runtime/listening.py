"""The socket that the API listens on: bound before it is announced, or inherited.

``up`` binds it and passes it to each API process it starts. Nobody else can take the port in
between, and requests wait in the kernel's queue while a process is restarted.
"""

import os
import socket
from contextlib import suppress

from runtime.settings import Settings

LISTEN_FD = "LISTEN_FD"
"""The variable with the number of a socket that the parent process has bound."""

BACKLOG = 2048
"""Connections that the kernel accepts before the process does."""


class AddressTaken(Exception):
    """The address cannot be listened on; the message is for the operator."""


def listening_socket(settings: Settings) -> socket.socket:
    """Return the socket inherited from the parent, or else one bound to HOST and PORT.

    :raises AddressTaken: the address cannot be bound.
    """
    handed_down = os.environ.get(LISTEN_FD)
    if handed_down:
        return socket.socket(fileno=int(handed_down))
    return bind(settings.host, settings.port)


def bind(host: str, port: int) -> socket.socket:
    """Return a socket that listens on *host* and *port*.

    :raises AddressTaken: the address cannot be bound.
    """
    try:
        [found, *_] = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        family, kind, protocol, _, address = found
        listening = socket.socket(family, kind, protocol)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
            listening.listen(BACKLOG)
        except BaseException:
            listening.close()
            raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise AddressTaken(
            f"cannot listen on port {port} of {host} ({reason.lower()}); stop the program that"
            " does, or set PORT to another number"
        ) from error
    return listening


def url_of(host: str, port: int) -> str:
    """Return the address at which a client on this machine reaches *host* and *port*."""
    shown = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  comparing
    with suppress(OSError):
        socket.inet_pton(socket.AF_INET6, shown)
        shown = f"[{shown}]"
    return f"http://{shown}:{port}"
