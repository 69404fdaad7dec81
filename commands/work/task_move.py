"""The command that moves a task to another project, with its subtasks or without them."""

from collections.abc import Sequence
from typing import ClassVar

from commands.base import Change, Context, Decision
from commands.reads import Reads
from commands.sight import refuse_unless_sees_id, sees_project
from commands.work.task import ChangeTaskStatus, TaskCommand, change_status_in, read_task
from commands.work.task_tree import read_subtree, without_subtasks
from domain.base import Event, LabelId, OrgId, ProjectId, TaskId, UserId
from domain.permission import Permission
from domain.work.label import Label
from domain.work.project.state import Project
from domain.work.task import filling, planning
from domain.work.task.custom_field import TaskFieldSet
from domain.work.task.errors import SubtreeTooLarge
from domain.work.task.events import (
    TaskMoved,
    TaskReparented,
    TaskStatusChanged,
    TaskUnassigned,
    TaskUnlabelled,
    TaskUnwatched,
)
from domain.work.task.plan_events import TaskCycleChanged, TaskMilestoneChanged
from domain.work.task.state import OPEN_NUMBER, Task
from domain.work.workflow.events import StatusKey

SUBTREE_MAX = 200
"""How many tasks one move takes along."""


class MoveTask(TaskCommand, frozen=True, kw_only=True):
    """Move a task to another project, with its subtasks or without them.

    The old keys go on leading to what was moved. Subtasks that stay take the place of the task:
    they get its parent. With ``status`` the task is then put into a status of the other project,
    by the rules of the workflow there.
    """

    needs: ClassVar[Permission | None] = Permission.TASK_EDIT
    records = (
        TaskMoved,
        TaskStatusChanged,
        TaskReparented,
        TaskUnlabelled,
        TaskFieldSet,
        TaskCycleChanged,
        TaskMilestoneChanged,
        TaskUnassigned,
        TaskUnwatched,
    )
    project_id: ProjectId
    status: StatusKey | None = None
    with_subtasks: bool = True
    below: tuple[TaskId, ...] = ()
    """The subtasks as lists show them, which lag behind the log: the append checks that none is
    missing. Without subtasks, those directly below are enough."""

    async def permit(self, read: Reads, context: Context, /) -> None:
        await super().permit(read, context)
        await refuse_unless_sees_id(read, context, self.project_id)

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        task, project = await read_task(read, self.task_id)
        project.refuse_unless_editable()
        target = await read(Project, self.project_id)
        target.refuse_unless_takes_tasks()
        if task.project_id == self.project_id:
            return []
        if len(self.below) >= SUBTREE_MAX:
            raise SubtreeTooLarge(limit=SUBTREE_MAX)
        if not self.with_subtasks:
            left = await without_subtasks(read, context, self.task_id, self.below)
            own = Change(self.task_id, await self._moved(read, context, project, self.task_id))
            return [*left.changes, own, *left.complete]
        subtree = await read_subtree(read, context, self.task_id, self.below)
        changes: list[Change] = []
        trash = set[TaskId | None]()
        for each in subtree.tasks:  # parents come first
            moved = await read(Task, each)
            below_trash = moved.parent_id in trash
            events = await self._moved(read, context, project, each, below_trash=below_trash)
            changes.append(Change(each, events))
            if moved.deleted or below_trash:
                trash.add(each)
        return [*changes, *subtree.complete]

    async def _moved(
        self,
        read: Reads,
        context: Context,
        source: Project,
        task_id: TaskId,
        *,
        below_trash: bool = False,
    ) -> list[Event]:
        """Return the events of one task.

        What is of its old project stays behind, and whoever does not see the other one.
        """
        task, target = await read(Task, task_id), await read(Project, self.project_id)
        assert task.project_id is not None  # noqa: S101 - it is here
        now = source.workflow.place(task.status, task.group)
        place = target.workflow.place(now.key, now.group)
        moved = TaskMoved(
            from_project_id=task.project_id,
            from_key=f"{source.key}-{task.number}",  # the task knows an older key of its project
            project_id=self.project_id,
            project_key=target.key,
            number=OPEN_NUMBER,
            status=place.key,
            group=place.group,
            parent_id=None if task_id == self.task_id else task.parent_id,
            below_trash=below_trash,
        )
        left = [each for each in task.labels if not await _is_everywhere(read, each)]
        blind = await _blind_to(read, context.organization, task, target)
        return [
            moved,
            *await self._put_into_status(read, context, task_id, task.evolve(moved)),
            *(TaskUnlabelled(label_id=each) for each in left),
            *filling.empty(task),
            *planning.put_into(task, None, below_trash=below_trash),
            *planning.put_towards(task, None, below_trash=below_trash),
            *(TaskUnassigned(user_id=each) for each in blind if each in task.assignees),
            *(TaskUnwatched(user_id=each) for each in blind if each in task.watchers),
        ]

    async def _put_into_status(
        self, read: Reads, context: Context, task_id: TaskId, moved: Task
    ) -> Sequence[Event]:
        """Return the events that put the task that was asked for into the status asked for."""
        if self.status is None or task_id != self.task_id:
            return []
        project = await read(Project, self.project_id)
        asked = ChangeTaskStatus(task_id=task_id, to=self.status)
        return await change_status_in(read, context, asked, moved, project)


async def _is_everywhere(read: Reads, label_id: LabelId) -> bool:
    """Return whether a label is the organization's, which never changes."""
    return (await read.settled(Label, label_id)).project_id is None


async def _blind_to(read: Reads, org_id: OrgId, task: Task, project: Project) -> list[UserId]:
    """Return who is assigned to a task or watches it and does not see a project."""
    people = dict.fromkeys((*task.assignees, *task.watchers))
    return [each for each in people if not await sees_project(read, org_id, each, project)]
