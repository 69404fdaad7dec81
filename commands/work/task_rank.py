"""The command that puts a task before or after another one, as on a board."""

from typing import NamedTuple

from commands.base import Change, Context, Decision, changes_of
from commands.reads import Reads
from commands.work.task import ChangeTaskStatus, TaskCommand, change_status, read_task
from domain.base import NotFound, ProjectId, TaskId
from domain.work.task import placing, rank
from domain.work.task.errors import NeighborsChanged, RankedBesideItself
from domain.work.task.events import TaskEvent, TaskRanked, TaskStatusChanged
from domain.work.task.state import Task
from domain.work.workflow.events import StatusKey


class Window(NamedTuple):
    """The tasks around a gap that has no room left, in order, and those just outside.

    Those outside keep their ranks; None is an end of the list.
    """

    tasks: tuple[TaskId, ...]
    before: TaskId | None
    after: TaskId | None


Gap = tuple[str | None, str | None]
"""The ranks on both sides of a place, None at an end of the list."""


class RankTask(TaskCommand, frozen=True, kw_only=True):
    """Put a task directly before or after another of its project, with a new status if asked."""

    records = (TaskRanked, TaskStatusChanged)
    beside: TaskId
    before: bool
    neighbor: TaskId | None
    """The task on the other side of the gap, None at an end of the list. Lists lag behind the log,
    so the decision compares the ranks of both as they are now."""
    status: StatusKey | None = None
    around: Window | None = None
    """Given when the gap has no room left: those tasks get new ranks in the same order."""

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        task, project = await read_task(read, self.task_id)
        project.refuse_unless_editable()
        if self.beside == self.task_id:
            raise RankedBesideItself
        events: list[TaskEvent] = []
        if self.status is not None:
            moved = ChangeTaskStatus(task_id=self.task_id, to=self.status)
            events += await change_status(read, context, moved)
        low, high = await self._gap(read, task.project_id)
        if (low is None or low < task.rank) and (high is None or task.rank < high):
            return changes_of(self.task_id, events)
        if self.around is not None:
            return await self._spread(read, task, events, self.around)
        found = rank.between(low, high, self.task_id)
        if found is None:
            raise NeighborsChanged
        return changes_of(self.task_id, [*placing.rank_at(task, found), *events])

    async def _gap(self, read: Reads, project_id: ProjectId | None) -> Gap:
        """Return the ranks on both sides.

        :raises NotFound: the task beside is missing, in the trash or in another project.
        :raises NeighborsChanged: the two are no longer in this order.
        """
        beside = await read(Task, self.beside)
        beside.refuse_unless_here()
        if beside.project_id != project_id:
            raise NotFound
        other = None if self.neighbor is None else await read(Task, self.neighbor)
        if other is not None and other.project_id != project_id:
            raise NeighborsChanged
        next_to = None if other is None else other.rank
        low, high = (next_to, beside.rank) if self.before else (beside.rank, next_to)
        if low is not None and high is not None and low > high:
            raise NeighborsChanged
        return low, high

    async def _spread(
        self, read: Reads, task: Task, events: list[TaskEvent], around: Window
    ) -> Decision:
        """Return new ranks for the task and those around it, evenly between those outside."""
        known = {each: await read(Task, each) for each in around.tasks if each != self.task_id}
        bounds = [None if e is None else await read(Task, e) for e in (around.before, around.after)]
        everybody = [*known.values(), *(each for each in bounds if each is not None)]
        if self.beside not in known or any(e.project_id != task.project_id for e in everybody):
            raise NeighborsChanged
        ids = sorted(known, key=lambda each: known[each].place)
        edges = known[ids[0]].rank, known[ids[-1]].rank
        at = ids.index(self.beside) + (not self.before)
        ids.insert(at, self.task_id)
        low, high = (None if each is None else each.rank for each in bounds)
        if any((low and low >= edge) or (high and edge >= high) for edge in edges):
            raise NeighborsChanged
        new = rank.spread_around([known[e].rank for e in ids if e in known], (low, high))
        changes: list[Change] = []
        for each, wanted in zip(ids, new, strict=True):
            if each == self.task_id:
                changes.append(Change(each, [*placing.rank_at(task, wanted), *events]))
            elif moved := placing.rank_at(known[each], wanted):
                changes.append(Change(each, moved))
        return [change for change in changes if change.events]
