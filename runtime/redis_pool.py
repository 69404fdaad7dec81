"""A Redis client whose pool and connections are counted."""

from typing import Any, cast

from redis.asyncio import Redis
from redis.asyncio.connection import (
    AbstractConnection,
    Connection,
    ConnectionPool,
    SSLConnection,
    UnixDomainSocketConnection,
    parse_url,
)

from eventstore.counters import REDIS_DRIVER, counters_of

CONNECT_S = 2.0
ANSWER_S = 4.0
"""How long Redis may take; after that, callers continue without it."""


class _Counted(AbstractConnection):
    """Counts the openings and closings of a connection, which may be reopened often."""

    async def connect(self) -> None:
        before = self.is_connected
        await super().connect()  # type: ignore[no-untyped-call]  # redis-py has no types here
        if not before and self.is_connected:
            counters_of(REDIS_DRIVER).connection_created()

    async def disconnect(self, nowait: bool = False) -> None:
        before = self.is_connected
        await super().disconnect(nowait)
        if before:
            counters_of(REDIS_DRIVER).connection_closed()


class _Tcp(_Counted, Connection):
    """Over TCP."""


class _Tls(_Counted, SSLConnection):
    """Over TLS."""


class _Unix(_Counted, UnixDomainSocketConnection):
    """Over a socket in the file system."""


_KINDS: dict[type[AbstractConnection], type[AbstractConnection]] = {
    Connection: _Tcp,
    SSLConnection: _Tls,
    UnixDomainSocketConnection: _Unix,
}


def open_redis(url: str) -> Any:  # the client's own annotations are partial
    """Return a client for *url*; it connects when it is used, and ``close_redis`` ends it."""
    options = cast(dict[str, Any], parse_url(url))
    kind = _KINDS[options.pop("connection_class", Connection)]
    pool: ConnectionPool = ConnectionPool(
        connection_class=kind,
        socket_connect_timeout=CONNECT_S,
        socket_timeout=ANSWER_S,
        **options,
    )
    counters_of(REDIS_DRIVER).pool_created()
    return Redis(connection_pool=pool)


async def close_redis(client: Any) -> None:
    """Close a client and its pool.

    :raises RedisError: the connection could not be closed properly.
    """
    counters_of(REDIS_DRIVER).pool_closed()
    try:
        await client.aclose()
    finally:
        await client.connection_pool.disconnect()
