"""Pages that were read last, kept in memory until anybody changes the file.

Many clients ask for the same list again and again, most often without any change in between. SQLite
tells in 4 µs whether there was one, and reading a page of 50 takes 30 µs.
"""

import sqlite3
from collections import OrderedDict
from sys import getsizeof
from typing import Any

from projections.engine.sqlite.pages import PageStatement

PageRows = list[tuple[Any, ...]]
PAGES_MAX = 64
PAGES_BYTES_MAX = 8 * 2**20
"""How many pages a process keeps, and how large they may be together."""


class RecentPages:
    """The results of the last statements on one connection, which must not write itself."""

    def __init__(self) -> None:
        self._pages: OrderedDict[tuple[Any, ...], tuple[PageRows, int]] = OrderedDict()
        self._size = 0
        self._connection: sqlite3.Connection | None = None
        self._version = -1

    def read(self, connection: sqlite3.Connection, page: PageStatement) -> PageRows:
        """Return the rows of *page* as of now, or of a later moment."""
        # It changes whenever another connection, of any process, commits a change of the file.
        [(version,)] = connection.execute("PRAGMA data_version").fetchall()
        if version != self._version or connection is not self._connection:
            self._pages.clear()
            self._size = 0
            self._connection, self._version = connection, version
        key = (page.text, *page.parameters)
        known = self._pages.get(key)
        if known is not None:
            return known[0]
        # If the file changes in between, these rows are newer than the version; no harm.
        rows = connection.execute(page.text, page.parameters).fetchall()
        self._keep(key, rows)
        return rows

    def _keep(self, key: tuple[Any, ...], rows: PageRows) -> None:
        size = sum(getsizeof(value) for row in rows for value in row)
        if size > PAGES_BYTES_MAX:
            return
        self._pages[key] = rows, size
        self._size += size
        while len(self._pages) > PAGES_MAX or self._size > PAGES_BYTES_MAX:
            _, (_, size) = self._pages.popitem(last=False)
            self._size -= size
