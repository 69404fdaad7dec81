"""The reads of a database to be backed up that SQLite and PostgreSQL share."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from eventstore.backup.database import LogSummary
from eventstore.mode import LogMode
from eventstore.store import LogIdentity


class SqlDatabase(ABC):
    """The statements without parameters; an adapter runs them."""

    @abstractmethod
    def _all(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return all rows of a query."""

    @abstractmethod
    def _columns(self, table: str) -> Collection[str]:
        """Return the columns of a table in order; empty if there is no such table."""

    @abstractmethod
    def _uuid(self, stored: Any) -> UUID:
        """Return a stored id as a UUID."""

    def summary(self) -> LogSummary | None:
        if not self._columns("log_identity"):
            return None
        found = self._all("SELECT id, epoch, parts FROM log_identity")
        if not found:
            return None
        [(log, epoch, parts)] = found
        modes = {LogMode(mode) for (mode,) in self._all("SELECT mode FROM part_heads")}
        mode = min(modes - {LogMode.OPEN}, default=LogMode.OPEN)
        return LogSummary(LogIdentity(self._uuid(log), epoch), parts, mode)

    def heads(self) -> dict[int, int]:
        return dict(self._all("SELECT part, position FROM part_heads"))

    def count(self, table: str) -> int:
        if not self._columns(table):
            return 0
        [(found,)] = self._all(f"SELECT count(*) FROM {table}")
        return int(found)

    def progress(self) -> str | None:
        if not self._columns("restore_progress"):
            return None
        found = self._all("SELECT at FROM restore_progress")
        return found[0][0] if found else None
