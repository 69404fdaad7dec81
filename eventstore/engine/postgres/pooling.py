"""PostgreSQL connections that are counted and that detect an unresponsive server."""

import contextlib
import os
import socket
from typing import Any, TypeVar
from uuid import UUID
from weakref import WeakSet

from psycopg import Connection, Error
from psycopg.adapt import Buffer, Loader
from psycopg.pq import Format
from psycopg.rows import TupleRow
from psycopg_pool import ConnectionPool, PoolTimeout, TooManyRequests

from eventstore.append import LogUnavailable
from eventstore.counters import DriverCounters
from eventstore.identifiers import id_of

KEEPALIVE = {
    "connect_timeout": 3,
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 5_000,
}
"""libpq options that detect within about 11 s a server whose packets are lost."""

STATEMENT_TIMEOUT_S = 30
"""Longer than any of our statements takes; a longer one must be hanging."""

R = TypeVar("R", bound=Connection[Any])


class CountedPool(ConnectionPool[Connection[TupleRow]]):
    """A pool that counts what it opens and closes."""

    def __init__(self, url: str, counters: DriverCounters, **options: Any) -> None:
        self._counters = counters
        self._ours: WeakSet[Connection[TupleRow]] = WeakSet()
        super().__init__(url, connection_class=_counted(counters, self._ours), **options)
        counters.pool_created()

    def hang_up(self) -> None:
        """Break every connection, so that no thread goes on waiting for a frozen server."""
        for connection in list(self._ours):
            with contextlib.suppress(Error):  # it was closed meanwhile
                shut_down(connection.fileno())

    def close(self, timeout: float = 5.0) -> None:
        """Close every connection, once."""
        if not self.closed:
            self._counters.pool_closed()
        super().close(timeout)


def shut_down(fileno: int) -> None:
    """End both directions of a socket; whoever waits for it in another thread gets an error."""
    with contextlib.suppress(OSError), socket.socket(fileno=os.dup(fileno)) as line:
        line.shutdown(socket.SHUT_RDWR)


def _counted(
    counters: DriverCounters, opened: "WeakSet[Connection[TupleRow]]"
) -> type[Connection[TupleRow]]:
    class Counted(Connection[TupleRow]):
        """A connection that counts its opening and its closing."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._counted_closed = False
            opened.add(self)
            counters.connection_created()

        def close(self) -> None:
            if not self._counted_closed:
                self._counted_closed = True
                counters.connection_closed()
            super().close()

    return Counted


class IdLoader(Loader):
    """Loads ids without the checks of ``uuid.UUID``."""

    format = Format.BINARY

    def load(self, data: Buffer) -> UUID:
        return id_of(bytes(data))


def prepare_connection(connection: Connection[Any], lock_timeout_s: float) -> None:
    """Load ids our way, and bound how long the statements of a connection wait and run."""
    connection.adapters.register_loader("uuid", IdLoader)
    connection.execute(
        "SELECT set_config('lock_timeout', %s, false),"
        " set_config('statement_timeout', %s, false),"
        " set_config('idle_in_transaction_session_timeout', %s, false)",
        [
            f"{round(s * 1000)}ms"
            # A process that freezes within a transaction is cut off before others give up.
            for s in (lock_timeout_s, STATEMENT_TIMEOUT_S, lock_timeout_s)
        ],
    )


class outages:  # noqa: N801  reads like the context managers of the standard library
    """Turns every error of the driver into LogUnavailable."""

    def __enter__(self) -> None: ...

    def __exit__(self, _type: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, (Error, PoolTimeout, TooManyRequests)):
            raise LogUnavailable(str(error)) from error
