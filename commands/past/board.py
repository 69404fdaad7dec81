"""The order of a board at a moment: which tasks stood in each column, found in the log alone.

The numbers of a project are claimed for good. So their holders are all tasks that were ever in it,
those that were moved elsewhere, deleted or purged since too. Of each, the few kinds of events that
say where it stood are folded up to the moment, without decrypting anything.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from msgspec import Struct

from commands.past.ordering import sorted_pieces
from commands.reservations import task_numbers
from domain.base import Event, OrgId, ProjectId, TaskId
from domain.work.task.events import (
    TaskCreated,
    TaskDeleted,
    TaskMoved,
    TaskRanked,
    TaskReparented,
    TaskRestored,
    TaskStatusChanged,
)
from domain.work.task.state import LEVELS_MAX, Task
from domain.work.workflow.state import Workflow
from eventstore.codec import decode_event
from eventstore.log import EventLog
from eventstore.past.events import NumberRange, Prefix

NUMBERS_PIECE = 100
"""Tasks of a piece: to read and fold what tells where they stood takes 2 to 4 ms."""
ROWS_PIECE = 500

_PLACING: tuple[type[Event], ...] = (
    TaskCreated,
    TaskMoved,
    TaskStatusChanged,
    TaskRanked,
    TaskReparented,
    TaskDeleted,
    TaskRestored,
)
_TAGS = tuple(str(kind.__struct_config__.tag) for kind in _PLACING)


class _Standing:
    """The tasks of a project in columns, with their places, and what may hide them.

    Ids are bytes, because UUIDs are hashed and compared in Python.
    """

    def __init__(self, workflow: Workflow) -> None:
        self._workflow = workflow
        self.columns: dict[str, list[tuple[str, bytes]]] = {}
        self._above: dict[bytes, bytes] = {}
        self._deleted: set[bytes] = set()

    def add(self, task_id: UUID, task: Task) -> None:
        """Add a task that was in the project."""
        column = self._workflow.place(task.status, task.group).key
        self.columns.setdefault(column, []).append((task.place, task_id.bytes))
        if task.parent_id is not None:
            self._above[task_id.bytes] = task.parent_id.bytes
        if task.deleted:
            self._deleted.add(task_id.bytes)

    def is_hidden(self, task_id: bytes) -> bool:
        """Return whether a task, or one above it, was in the trash."""
        one: bytes | None = task_id
        for _ in range(LEVELS_MAX):
            if one is None or one in self._deleted:
                break
            one = self._above.get(one)
        return one is not None and one in self._deleted


class BoardOrder(Struct, frozen=True):
    """The tasks of each column in order, as the bytes of their ids; none has no entry."""

    columns: dict[str, bytes]

    @property
    def size(self) -> int:
        """About how many bytes it takes."""
        return 1_000 + sum(map(len, self.columns.values()))

    def count(self, status: str) -> int:
        """Return how many tasks stood in a column."""
        return len(self.columns.get(status, b"")) // 16

    def tasks(self, status: str, after: int, limit: int) -> list[TaskId]:
        """Return at most *limit* tasks of a column behind the first *after*."""
        ids = self.columns.get(status, b"")[after * 16 : (after + limit) * 16]
        return [TaskId(UUID(bytes=ids[at : at + 16])) for at in range(0, len(ids), 16)]


async def board_order(
    log: EventLog, org_id: OrgId, project_id: ProjectId, workflow: Workflow, seq: int
) -> BoardOrder:
    """Return the order of a board once everything up to *seq* was recorded.

    *workflow* is that of the project then. It is done in pieces between which others are served.
    """
    standing, count = _Standing(workflow), task_numbers(org_id, project_id)
    [last] = await log.counted(count)
    for after in range(0, last, NUMBERS_PIECE):
        some = NumberRange(count, after, min(after + NUMBERS_PIECE, last))
        async with log.turns:
            holders = {each.int: each for each in await log.numbered_between(some)}
        streams = [holders[each] for each in sorted(holders)]
        for task_id, task in await _tasks_then(log, org_id, streams, seq):
            if task.project_id == project_id:
                standing.add(task_id, task)
    columns: dict[str, bytes] = {}
    for key, tasks in standing.columns.items():
        ids = bytearray()
        async for piece in sorted_pieces(log, tasks):
            ids += b"".join(each for _, each in piece if not standing.is_hidden(each))
        columns[key] = bytes(ids)
    return BoardOrder(columns)


async def _tasks_then(
    log: EventLog, org_id: OrgId, streams: Sequence[UUID], seq: int
) -> list[tuple[UUID, Task]]:
    """Return where tasks stood, without what they said; none that did not exist yet."""
    found: list[tuple[UUID, Task]] = []
    left, after = streams, 0
    while left:
        async with log.turns:
            rows = await log.prefixes(org_id, left, Prefix(_TAGS, seq, after), ROWS_PIECE)
            for row in rows:
                event: Any = decode_event(row, None)  # one of those of a task
                if found and found[-1][0].int == row.stream_id.int:
                    found[-1] = row.stream_id, found[-1][1].evolve(event)
                else:
                    found.append((row.stream_id, Task().evolve(event)))
        if len(rows) < ROWS_PIECE:
            break
        left, after = left[left.index(rows[-1].stream_id) :], rows[-1].version
    return found
