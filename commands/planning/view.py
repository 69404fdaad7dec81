"""Commands on saved views."""

from typing import ClassVar
from uuid import UUID

from msgspec import UNSET, UnsetType

from commands.base import Command, Context, Decision, changes_of
from commands.reads import Reads
from commands.sight import refuse_unless_granted_in, refuse_unless_sees_id
from domain.base import CycleId, LabelId, MilestoneId, NotFound, ProjectId, TaskId, ViewId
from domain.name import Name
from domain.permission import Permission
from domain.planning.criteria import (
    NO_CRITERIA,
    Columns,
    Criteria,
    FieldValues,
    ViewSort,
    ids_in,
    joined_values,
)
from domain.planning.cycle import Cycle
from domain.planning.milestone import Milestone
from domain.planning.view import (
    NEWEST,
    SavedView,
    ViewColumnsChanged,
    ViewCreated,
    ViewDeleted,
    ViewEvent,
    ViewFiltered,
    ViewRenamed,
    ViewRestored,
    ViewShared,
    ViewSorted,
    ViewUnshared,
)
from domain.work.label import Label
from domain.work.project.state import Project
from domain.work.task.state import Task


class CreateView(Command, frozen=True, kw_only=True):
    """Save a view of the tasks of a project or, without one, of all projects."""

    needs: ClassVar[Permission | None] = Permission.TASK_EDIT
    records = (ViewCreated,)
    view_id: ViewId
    project_id: ProjectId | None = None
    name: Name
    shared: bool = False
    criteria: Criteria = NO_CRITERIA
    values: FieldValues = ()
    sort: ViewSort = NEWEST
    columns: Columns = ()

    async def permit(self, read: Reads, context: Context, /) -> None:
        await super().permit(read, context)
        if self.project_id is not None:
            await refuse_unless_sees_id(read, context, self.project_id)

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        await _refuse_without_project(read, self.project_id)
        await _refuse_from_elsewhere(read, self.criteria, self.project_id)
        created = ViewCreated(
            project_id=self.project_id,
            name=self.name,
            shared=self.shared,
            criteria=self.criteria,
            values=joined_values(self.values),
            sort=self.sort,
            columns=self.columns,
            created_by=context.user_id,
            created_at=context.now,
        )
        return changes_of(self.view_id, read.new(SavedView, self.view_id).create(created))


class ViewCommand(Command, frozen=True, kw_only=True):
    """A command on one view: of its owner or, if it is shared, of who may shape its project."""

    needs: ClassVar[Permission | None] = Permission.TASK_EDIT
    view_id: ViewId

    @property
    def target(self) -> UUID | None:
        return self.view_id

    async def permit(self, read: Reads, context: Context, /) -> None:
        await super().permit(read, context)
        view = await read(SavedView, self.view_id)
        if view.project_id is not None:
            await refuse_unless_sees_id(read, context, view.project_id)
        if not view.is_there_for(context.user_id):
            raise NotFound
        if view.created_by != context.user_id:
            project = Project() if view.project_id is None else await read(Project, view.project_id)
            await refuse_unless_granted_in(read, context, project, Permission.PROJECT_WORKFLOW)


class EditView(ViewCommand, frozen=True, kw_only=True):
    """Change the name of a view, what it shows and how, or whether it is shared."""

    records = (
        ViewRenamed,
        ViewShared,
        ViewUnshared,
        ViewFiltered,
        ViewSorted,
        ViewColumnsChanged,
    )
    name: Name | UnsetType = UNSET
    shared: bool | UnsetType = UNSET
    criteria: Criteria | UnsetType = UNSET
    values: FieldValues = ()
    """Set together with ``criteria``."""
    sort: ViewSort | UnsetType = UNSET
    columns: Columns | UnsetType = UNSET

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        view = await read(SavedView, self.view_id)
        view.refuse_unless_here()
        await _refuse_without_project(read, view.project_id)
        events: list[ViewEvent] = []
        if self.name is not UNSET:
            events += view.rename(self.name)
        if self.shared is not UNSET:
            events += view.share(shared=self.shared, by=context.user_id)
        if self.criteria is not UNSET:
            await _refuse_from_elsewhere(read, self.criteria, view.project_id)
            events += view.filter_by(self.criteria, self.values)
        if self.sort is not UNSET:
            events += view.sort_by(self.sort)
        if self.columns is not UNSET:
            events += view.show_columns(self.columns)
        return changes_of(self.view_id, events)


class DeleteView(ViewCommand, frozen=True, kw_only=True):
    """Move a view to the trash."""

    records = (ViewDeleted,)

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        view = await read(SavedView, self.view_id)
        await _refuse_without_project(read, view.project_id)
        return changes_of(self.view_id, view.delete())


class RestoreView(ViewCommand, frozen=True, kw_only=True):
    """Restore a view from the trash, unless another has its name by now."""

    records = (ViewRestored,)

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        view = await read(SavedView, self.view_id)
        await _refuse_without_project(read, view.project_id)
        return changes_of(self.view_id, view.restore())


async def _refuse_without_project(read: Reads, project_id: ProjectId | None) -> None:
    """Refuse if the project of a view, if it has one, is deleted."""
    if project_id is not None:
        (await read(Project, project_id)).refuse_unless_here()


async def _refuse_from_elsewhere(
    read: Reads, criteria: Criteria, project_id: ProjectId | None
) -> None:
    """Refuse to name what is not of the project of a view, which not everybody may see.

    Only labels of the organization may be named anywhere.

    :raises NotFound: it names something that does not exist, or is of another project.
    """
    for label_id in map(LabelId, ids_in(criteria.label)):
        label = await read.settled(Label, label_id)
        _refuse_unless(label.created and label.project_id in {None, project_id}, label=label_id)
    for cycle_id in map(CycleId, ids_in(criteria.cycle)):
        cycle = await read.settled(Cycle, cycle_id)
        _refuse_unless(cycle.project_id in {project_id} - {None}, cycle=cycle_id)
    for milestone_id in map(MilestoneId, ids_in(criteria.milestone)):
        milestone = await read.settled(Milestone, milestone_id)
        _refuse_unless(milestone.project_id in {project_id} - {None}, milestone=milestone_id)
    for task_id in map(TaskId, ids_in(criteria.parent)):
        task = await read(Task, task_id)
        _refuse_unless(task.project_id in {project_id} - {None}, parent=task_id)


def _refuse_unless(fits: bool, **named: UUID) -> None:
    if not fits:
        raise NotFound(**named)
