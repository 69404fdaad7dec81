"""A Redis client whose pool, connections and commands are counted, and which never waits long."""

import asyncio
import time
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
from runtime.setting import REDIS_DEADLINE_S


class _Counted(AbstractConnection):
    """Counts the openings and closings of a connection, and the commands in between."""

    _sent_at = 0.0

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

    async def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        self._sent_at = time.perf_counter()
        await super().send_packed_command(command, check_health)

    async def read_response(self, *args: Any, push_request: bool | None = False, **kw: Any) -> Any:
        if push_request:  # a subscriber waits for others, and for as long as it takes
            return await self._read(*args, push_request=push_request, **kw)
        failed = True
        try:
            answer = await self._read(*args, **kw)
            failed = False
            return answer
        finally:
            took_s = time.perf_counter() - self._sent_at
            counters_of(REDIS_DRIVER).command("redis", took_s, failed=failed)

    async def _read(self, *args: Any, **kw: Any) -> Any:
        read = cast(Any, super().read_response)
        return await read(*args, **kw)


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


def open_pool(url: str, deadline_s: float = REDIS_DEADLINE_S) -> ConnectionPool:
    """Return a pool for a client of *url*; ``close_redis`` ends both."""
    options = cast(dict[str, Any], parse_url(url))
    kind = _KINDS[options.pop("connection_class", Connection)]
    if kind is not _Unix:
        options["socket_keepalive"] = True
    pool: ConnectionPool = ConnectionPool(
        connection_class=kind,
        socket_connect_timeout=deadline_s,
        socket_timeout=deadline_s,
        **options,
    )
    counters_of(REDIS_DRIVER).pool_created()
    return pool


def open_redis(url: str, deadline_s: float = REDIS_DEADLINE_S) -> Any:  # partial types of its own
    """Return a client for *url*; it connects when it is used, and ``close_redis`` ends it."""
    return Redis(connection_pool=open_pool(url, deadline_s))


async def close_redis(client: Any) -> None:
    """Close a client and its pool, whether or not Redis takes the goodbye.

    :raises RedisError: Redis did not take it.
    """
    counters_of(REDIS_DRIVER).pool_closed()
    try:
        async with asyncio.timeout(REDIS_DEADLINE_S):
            await client.aclose()
    finally:
        await client.connection_pool.disconnect()
