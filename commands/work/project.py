"""Commands on projects."""

from typing import Annotated, ClassVar
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType

from commands.base import Command, Context, Decision, changes_of
from commands.reads import Reads
from commands.sight import (
    refuse_unless_granted_in,
    refuse_unless_sees,
    refuse_unless_sees_id,
    sees_project,
)
from domain.base import NotFound, ProjectId, TeamId, UserId
from domain.identity.organization.state import Organization
from domain.name import Name
from domain.patterned import patterned
from domain.permission import Permission
from domain.work.project.events import (
    ProjectArchived,
    ProjectCreated,
    ProjectDeleted,
    ProjectDescribed,
    ProjectEvent,
    ProjectKeyChanged,
    ProjectLeadAssigned,
    ProjectMemberAdded,
    ProjectPutOnHold,
    ProjectRenamed,
    ProjectRestored,
    ProjectResumed,
    ProjectTeamLinked,
    ProjectUnarchived,
    ProjectVisibilityChanged,
    Visibility,
)
from domain.work.project.state import PROJECT_KEY_PATTERN, Project
from domain.work.team import Team
from domain.work.workflow.events import Preset

ProjectKey = Annotated[
    str, patterned(PROJECT_KEY_PATTERN, "2 to 10 capital letters and digits, such as ENG")
]
ProjectDescription = Annotated[str, Meta(max_length=100_000)]
Reason = Annotated[str, Meta(min_length=1, max_length=1_000)]


class CreateProject(Command, frozen=True, kw_only=True):
    """Create a project; its key must be new in the organization."""

    needs: ClassVar[Permission | None] = Permission.PROJECT_CREATE
    records = (ProjectCreated,)
    project_id: ProjectId
    key: ProjectKey
    name: Name
    description: ProjectDescription | None = None
    lead_id: UserId | None = None
    team_id: TeamId | None = None
    visibility: Visibility = Visibility.ORGANIZATION
    preset: Preset = Preset.STANDARD

    async def permit_repeat(self, read: Reads, context: Context, made: UUID, /) -> None:
        await refuse_unless_sees_id(read, context, ProjectId(made))

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        await refuse_unless_member(read, context, self.lead_id)
        await _refuse_unless_team(read, self.team_id)
        created = ProjectCreated(
            key=self.key,
            name=self.name,
            description=self.description,
            workflow=self.preset,
            lead_id=self.lead_id,
            team_id=self.team_id,
            visibility=self.visibility,
            created_by=context.user_id,
        )
        events = read.new(Project, self.project_id).create(created)
        return changes_of(self.project_id, events)


class ProjectCommand(Command, frozen=True, kw_only=True):
    """A command on one project, which the LEADs of its team may send as ``LEAD_PERMISSIONS`` say.

    For those who do not see the project, it does not exist.
    """

    needs: ClassVar[Permission | None] = Permission.PROJECT_ARCHIVE
    project_id: ProjectId

    @property
    def target(self) -> UUID | None:
        return self.project_id

    async def permit(self, read: Reads, context: Context, /) -> None:
        project = await read(Project, self.project_id)
        if self.needs is not None:
            await refuse_unless_granted_in(read, context, project, self.needs)
        await refuse_unless_sees(read, context, project)


class EditProject(ProjectCommand, frozen=True, kw_only=True):
    """Change the fields of a project; what already has the value records nothing.

    Whoever makes a project private, and would no longer see it, becomes a member of it.
    """

    needs: ClassVar[Permission | None] = Permission.PROJECT_EDIT
    records = (
        ProjectRenamed,
        ProjectDescribed,
        ProjectLeadAssigned,
        ProjectTeamLinked,
        ProjectVisibilityChanged,
        ProjectMemberAdded,
        ProjectKeyChanged,
    )
    key: ProjectKey | UnsetType = UNSET
    name: Name | UnsetType = UNSET
    description: ProjectDescription | UnsetType | None = UNSET
    lead_id: UserId | UnsetType | None = UNSET
    team_id: TeamId | UnsetType | None = UNSET
    visibility: Visibility | UnsetType = UNSET

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        project = await read(Project, self.project_id)
        project.refuse_unless_here()
        events: list[ProjectEvent] = []
        if self.key is not UNSET:
            events += project.change_key(self.key)
        if self.name is not UNSET:
            events += project.rename(self.name)
        if self.description is not UNSET:
            events += project.describe(self.description)
        if self.lead_id is not UNSET:
            await refuse_unless_member(read, context, self.lead_id)
            events += project.assign_lead(self.lead_id)
        if self.team_id is not UNSET:
            await _refuse_unless_team(read, self.team_id)
            events += project.link_team(self.team_id)
        if self.visibility is not UNSET:
            events += project.show_to(self.visibility)
            events += await self._kept_in_sight(read, context, project, events)
        return changes_of(self.project_id, events)

    async def _kept_in_sight(
        self, read: Reads, context: Context, project: Project, events: list[ProjectEvent]
    ) -> list[ProjectEvent]:
        for event in events:
            project = project.evolve(event)
        if await sees_project(read, context.organization, context.user_id, project):
            return []
        return project.add_member(context.user_id)


class HoldProject(ProjectCommand, frozen=True, kw_only=True):
    """Put a project on hold: no tasks can be created or started in it."""

    needs: ClassVar[Permission | None] = Permission.PROJECT_HOLD
    records = (ProjectPutOnHold,)
    reason: Reason | None = None

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        project = await read(Project, self.project_id)
        return changes_of(self.project_id, project.hold(self.reason))


class ResumeProject(ProjectCommand, frozen=True, kw_only=True):
    """Resume a project that is on hold."""

    needs: ClassVar[Permission | None] = Permission.PROJECT_HOLD
    records = (ProjectResumed,)

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        project = await read(Project, self.project_id)
        return changes_of(self.project_id, project.resume())


class ArchiveProject(ProjectCommand, frozen=True, kw_only=True):
    """Archive a project: it stays readable but can no longer be changed."""

    records = (ProjectArchived,)

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        project = await read(Project, self.project_id)
        return changes_of(self.project_id, project.archive())


class UnarchiveProject(ProjectCommand, frozen=True, kw_only=True):
    """Unarchive a project."""

    records = (ProjectUnarchived,)

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        project = await read(Project, self.project_id)
        return changes_of(self.project_id, project.unarchive())


class DeleteProject(ProjectCommand, frozen=True, kw_only=True):
    """Move a project to the trash with all of its tasks."""

    needs: ClassVar[Permission | None] = Permission.PROJECT_DELETE
    records = (ProjectDeleted,)

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        project = await read(Project, self.project_id)
        return changes_of(self.project_id, project.delete())


class RestoreProject(ProjectCommand, frozen=True, kw_only=True):
    """Restore a project and its tasks from the trash."""

    needs: ClassVar[Permission | None] = Permission.PROJECT_DELETE
    records = (ProjectRestored,)

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        project = await read(Project, self.project_id)
        return changes_of(self.project_id, project.restore())


async def refuse_unless_member(read: Reads, context: Context, user_id: UserId | None) -> None:
    """Refuse a user who is not an active member of the caller's organization."""
    if user_id is None:
        return
    organization = await read(Organization, context.organization)
    if organization.role_of(user_id) is None:
        raise NotFound(user_id=user_id)


async def _refuse_unless_team(read: Reads, team_id: TeamId | None) -> None:
    """Refuse a team that is missing or in the trash."""
    if team_id is not None and not (await read(Team, team_id)).is_here:
        raise NotFound(team_id=team_id)
