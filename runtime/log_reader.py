"""Reads the events that somebody acts on, from a cursor that outlives the process."""

import time
from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple

from eventstore.operations.crew import Owns, everything
from eventstore.operations.records import LogCursor
from eventstore.recorded import Row, fills_read, mark_of
from runtime.system import System

_ROWS = 500
_CHECK_S = 60.0
"""How often the cursors are compared with the log, and moved if nothing has moved them."""


class NewEvents(NamedTuple):
    """Events to act on, and the cursor to store with what was done about them."""

    part: int
    rows: list[Row]
    end: LogCursor


class LogReader:
    """Remembers how far one worker has read each partition, so that the cursor moves rarely."""

    def __init__(
        self, system: System, name: str, tags: Sequence[str], owns: Owns = everything
    ) -> None:
        """*owns* says which partitions this process reads; others read the rest."""
        self._log, self._operations = system.log, system.operations
        self._name, self._tags, self._owns = name, tags, owns
        self._read: dict[int, int] = {}
        self._doubt_at = 0.0

    async def new(self) -> AsyncIterator[NewEvents]:
        """Yield what is new in each partition; it counts as read once the caller comes back.

        The caller stores the cursor. If the log was set back, its events come again.
        """
        if time.monotonic() > self._doubt_at:
            self.doubt()
        for part in range(self._log.parts):
            if not self._owns(part):
                self._read.pop(part, None)  # should it come back, others have read on
                continue
            found = await (self._follow(part) if part in self._read else self._catch_up(part))
            if found is not None:
                yield found
                self._read[part] = found.end.position

    def doubt(self) -> None:
        """Start again from the stored cursors: the log may have been set back."""
        self._read.clear()
        self._doubt_at = time.monotonic() + _CHECK_S

    async def _catch_up(self, part: int) -> NewEvents | None:
        """Search the log from the cursor on."""
        cursor = await self._operations.log_cursor(self._cursor(part))
        after = 0 if cursor is None else cursor.position
        if cursor is not None and await self._log.mark_at(after, part) != cursor.event_id:
            self._log.news.forget()
            after = 0
        end = await self._log.last_position(part)
        if end <= after:
            self._read[part] = after
            return None
        rows: list[Row] = []
        while found := await self._log.tail_rows(after, _ROWS, self._tags, part):
            rows += found
            after = found[-1].position
        end = max(end, after)
        return self._found(part, rows, end, await self._log.mark_at(end, part))

    async def _follow(self, part: int) -> NewEvents | None:
        """Search what is new; without anything to act on, only the memory moves."""
        after, last, rows = self._read[part], None, list[Row]()
        while found := await self._log.news.after(after, _ROWS, part):
            rows += [row for row in found if row.tag in self._tags]
            last = found[-1]
            after = last.position
            if not fills_read(found, _ROWS):
                break
        if rows and last is not None:
            return self._found(part, rows, after, mark_of(last))
        self._read[part] = after
        return None

    def _found(self, part: int, rows: list[Row], position: int, mark: str) -> NewEvents:
        end = LogCursor(id=self._cursor(part), position=position, event_id=mark)
        return NewEvents(part, rows, end)

    def _cursor(self, part: int) -> str:
        return f"{self._name}, part {part}"
