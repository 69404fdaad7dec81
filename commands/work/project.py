"""Commands on projects."""

from typing import Annotated, ClassVar
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType

from commands.base import Command, Context, Decision, changes_of
from commands.reads import Reads
from domain.base import NotFound, ProjectId, UserId
from domain.identity.organization.state import Organization
from domain.name import Name
from domain.permission import Permission
from domain.work.project.events import (
    ProjectArchived,
    ProjectCreated,
    ProjectDeleted,
    ProjectDescribed,
    ProjectEvent,
    ProjectLeadAssigned,
    ProjectPutOnHold,
    ProjectRenamed,
    ProjectRestored,
    ProjectResumed,
    ProjectUnarchived,
)
from domain.work.project.state import PROJECT_KEY_PATTERN, Project

ProjectKey = Annotated[str, Meta(pattern=PROJECT_KEY_PATTERN)]
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
    lead: UserId | None = None

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        await refuse_unless_member(read, context, self.lead)
        created = ProjectCreated(
            key=self.key,
            name=self.name,
            description=self.description,
            lead=self.lead,
            created_by=context.user_id,
        )
        events = read.new(Project, self.project_id).create(created)
        return changes_of(self.project_id, events)


class ProjectCommand(Command, frozen=True, kw_only=True):
    """A command on one project."""

    needs: ClassVar[Permission | None] = Permission.PROJECT_ARCHIVE
    project_id: ProjectId

    @property
    def target(self) -> UUID | None:
        return self.project_id


class EditProject(ProjectCommand, frozen=True, kw_only=True):
    """Change the name, description or lead of a project."""

    needs: ClassVar[Permission | None] = Permission.PROJECT_EDIT
    records = (
        ProjectRenamed,
        ProjectDescribed,
        ProjectLeadAssigned,
    )
    name: Name | UnsetType = UNSET
    description: ProjectDescription | UnsetType | None = UNSET
    lead: UserId | UnsetType | None = UNSET

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        project = await read(Project, self.project_id)
        events: list[ProjectEvent] = []
        if self.name is not UNSET:
            events += project.rename(self.name)
        if self.description is not UNSET:
            events += project.describe(self.description)
        if self.lead is not UNSET:
            await refuse_unless_member(read, context, self.lead)
            events += project.assign_lead(self.lead)
        project.refuse_unless_here()
        return changes_of(self.project_id, events)


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
