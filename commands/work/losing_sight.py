"""What follows once somebody no longer sees a private project, or has left the organization."""

from typing import ClassVar

from commands.base import Context, Decision, changes_of
from commands.reads import Reads
from commands.sight import sees_project
from commands.work.project import ProjectCommand
from commands.work.task import TaskCommand, read_task
from commands.work.team import TeamCommand
from domain.base import UserId
from domain.identity.organization.state import Organization
from domain.permission import Permission
from domain.work.project.events import (
    ProjectEvent,
    ProjectLeadAssigned,
    ProjectMemberRemoved,
    Visibility,
)
from domain.work.project.state import Project
from domain.work.task.events import TaskEvent, TaskUnassigned, TaskUnwatched
from domain.work.task.state import Task
from domain.work.task.watching import let_go, let_leave
from domain.work.team import Team, TeamLeaveCause, TeamMemberRemoved
from domain.work.workflow.events import FINISHED


class ReleaseWithoutSight(TaskCommand, frozen=True, kw_only=True):
    """Let go of a task whoever no longer sees it: from an open one they are unassigned, too.

    Also of one in an archived project, so that they are not back when it is unarchived.
    """

    needs: ClassVar[Permission | None] = None
    records = (TaskUnassigned, TaskUnwatched)
    user_id: UserId

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        task, project = await read_task(read, self.task_id)
        if await sees_project(read, context.organization, self.user_id, project):
            return []  # they see it again
        events: list[TaskEvent] = []
        if task.group not in FINISHED:
            events += task.unassign(self.user_id)
        events += let_leave(task, self.user_id)
        return changes_of(self.task_id, events)


async def released(read: Reads, context: Context, task: Task, project: Project) -> list[TaskEvent]:
    """Return the events that let go of a restored task all members who no longer see its project.

    While it was in the trash, nothing let go of it (``ReleaseWithoutSight``).
    """
    if project.visibility is not Visibility.PRIVATE:
        return []
    organization = await read(Organization, context.organization)
    events: list[TaskEvent] = []
    for each in dict.fromkeys((*task.assignees, *task.watchers)):
        if organization.role_of(each) is None:
            continue  # suspended, or gone, from which something else follows
        if not await sees_project(read, context.organization, each, project):
            events += let_go(task, each)
            events += [TaskUnwatched(user_id=each)] if each in task.watchers else []
    return events


class RemoveFormerMemberFromTeam(TeamCommand, frozen=True, kw_only=True):
    """Remove somebody who left the organization from a team."""

    needs: ClassVar[Permission | None] = None
    records = (TeamMemberRemoved,)
    user_id: UserId

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        organization = await read(Organization, context.organization)
        if organization.member(self.user_id) is not None:
            return []  # they came back
        team = await read(Team, self.team_id)
        return changes_of(self.team_id, team.remove(self.user_id, TeamLeaveCause.LEFT_ORGANIZATION))


class RemoveFormerMemberFromProject(ProjectCommand, frozen=True, kw_only=True):
    """Remove somebody who left the organization from the members of a project, also as its lead."""

    needs: ClassVar[Permission | None] = None
    records = (ProjectMemberRemoved, ProjectLeadAssigned)
    user_id: UserId

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        organization = await read(Organization, context.organization)
        if organization.member(self.user_id) is not None:
            return []  # they came back
        project = await read(Project, self.project_id)
        events: list[ProjectEvent] = [*project.remove_member(self.user_id)]
        if project.lead_id == self.user_id:
            events += project.release_lead()
        return changes_of(self.project_id, events)
