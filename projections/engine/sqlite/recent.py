"""Pages that were read last, kept in memory until anybody changes the file.

Many clients ask for the same list again and again, most often without any change in between. SQLite
tells in 4 µs whether there was one, and reading a page of 50 takes 30 µs.
"""

import sqlite3
from collections import OrderedDict

import msgspec

from projections.engine.query import ListSlice, Query

PAGES_MAX = 64
PAGES_BYTES_MAX = 8 * 2**20
"""How many pages a process keeps, and how large they may be together."""

PageKey = tuple[str, bytes]
"""A collection, and what is asked of it."""
_encode = msgspec.msgpack.Encoder().encode


def page_key(collection: str, query: Query) -> PageKey:
    """Return what a page is kept by."""
    return collection, _encode(query)


class RecentPages:
    """The last pages that were read on one connection, which must not write itself."""

    def __init__(self) -> None:
        self._pages: OrderedDict[PageKey, ListSlice] = OrderedDict()
        self._size = 0
        self._connection: sqlite3.Connection | None = None
        self._version = -1

    def get(self, connection: sqlite3.Connection, key: PageKey) -> ListSlice | None:
        """Return a page as of now; None if it is not in memory."""
        # It changes whenever another connection, of any process, commits a change of the file.
        [(version,)] = connection.execute("PRAGMA data_version").fetchall()
        if version != self._version or connection is not self._connection:
            self._pages.clear()
            self._size = 0
            self._connection, self._version = connection, version
        return self._pages.get(key)

    def keep(self, key: PageKey, page: ListSlice) -> None:
        """Keep a page that was read after ``get``, so that it is as of that moment or later."""
        size = _size_of(key, page)
        if size > PAGES_BYTES_MAX:
            return
        self._pages[key] = page
        self._size += size
        while len(self._pages) > PAGES_MAX or self._size > PAGES_BYTES_MAX:
            self._size -= _size_of(*self._pages.popitem(last=False))


def _size_of(key: PageKey, page: ListSlice) -> int:
    return len(key[1]) + len(page.json)
