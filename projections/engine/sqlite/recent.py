"""Pages that were read last, kept in memory until anybody changes the file.

Many clients ask for the same list again and again, most often without any change in between. SQLite
tells in 4 µs whether there was one, and reading a page of 50 takes 30 µs.
"""

import sqlite3
from collections import OrderedDict
from typing import Any

from projections.engine.sqlite.pages import PageStatement

PageRows = list[tuple[Any, ...]]
PAGES_MAX = 64
"""How many pages a process keeps: a few MB."""


class RecentPages:
    """The results of the last statements on one connection, which must not write itself."""

    def __init__(self) -> None:
        self._pages: OrderedDict[tuple[Any, ...], PageRows] = OrderedDict()
        self._connection: sqlite3.Connection | None = None
        self._version = -1

    def read(self, connection: sqlite3.Connection, page: PageStatement) -> PageRows:
        """Return the rows of *page* as of now, or of a later moment."""
        # It changes whenever another connection, of any process, commits a change of the file.
        [(version,)] = connection.execute("PRAGMA data_version").fetchall()
        if version != self._version or connection is not self._connection:
            self._pages.clear()
            self._connection, self._version = connection, version
        key = (page.text, *page.parameters)
        rows = self._pages.get(key)
        if rows is None:
            # If the file changes in between, these rows are newer than the version; no harm.
            rows = self._pages[key] = connection.execute(page.text, page.parameters).fetchall()
            if len(self._pages) > PAGES_MAX:
                self._pages.popitem(last=False)
        return rows
