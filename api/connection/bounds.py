"""Limits on connections, and on the part of a request that is read before a route runs."""

from msgspec import Struct


class Bounds(Struct, frozen=True, kw_only=True):
    """The limits of one server process; sizes are in bytes, times in seconds.

    ``stray_bytes`` limits the bytes after the header section that are not content: chunk sizes and
    trailers. ``write_s`` is how long a client may leave a response unread.
    """

    head_bytes: int = 32 * 1024
    header_count: int = 100
    url_bytes: int = 8 * 1024
    stray_bytes: int = 32 * 1024
    head_s: float = 10.0
    write_s: float = 20.0
    linger_s: float = 2.0
    pipelined: int = 16
    connections: int = 2_000
    connections_per_peer: int = 200


BOUNDS = Bounds()
"""Connections that wait for their headers hold 32 KiB at most, so all of them about 64 MiB."""
