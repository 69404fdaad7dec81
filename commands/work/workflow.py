"""Commands on the workflow of a project."""

from typing import ClassVar

from msgspec import field

from commands.base import Context, Decision, changes_of
from commands.reads import Reads
from commands.work.project import ProjectCommand
from domain.identity.organization.state import Organization
from domain.identity.plan import refuse_custom_workflow
from domain.permission import Permission
from domain.work.project.state import Project
from domain.work.workflow.events import Transition, WorkflowDefined
from domain.work.workflow.state import Status, preset_of


class DefineWorkflow(ProjectCommand, frozen=True, kw_only=True):
    """Replace the statuses of a project's tasks and the transitions between them."""

    needs: ClassVar[Permission | None] = Permission.PROJECT_WORKFLOW
    records = (WorkflowDefined,)
    statuses: tuple[Status, ...]
    transitions: tuple[Transition, ...]
    moved: dict[str, str] = field(default_factory=dict[str, str])

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        project = await read(Project, self.project_id)
        version = read.version(self.project_id) + 1
        project.refuse_unless_editable()
        events = project.workflow.define(self.statuses, self.transitions, self.moved, version)
        if events and preset_of(self.statuses, self.transitions) is None:
            organization = await read(Organization, context.organization)
            refuse_custom_workflow(organization.plan)
        return changes_of(self.project_id, events)
