"""What all commands on a part of a project's plan have in common: who may send them, and when."""

from typing import Protocol

from commands.base import Context
from commands.reads import Reads
from commands.sight import refuse_unless_granted_in, refuse_unless_sees
from domain.base import NotFound, ProjectId
from domain.permission import Permission
from domain.work.project.state import Project


class Part(Protocol):
    """A part of the plan of a project, such as a cycle; without a project there is none."""

    @property
    def project_id(self) -> ProjectId | None: ...


async def refuse_unless_may_plan(
    read: Reads, context: Context, project_id: ProjectId | None
) -> None:
    """Refuse a caller who may not shape how a project works, or does not see it.

    :raises NotFound: they do not see it, or there is none.
    :raises NotPermitted: neither their role nor a team that they lead grants it.
    """
    project = Project() if project_id is None else await read(Project, project_id)
    await refuse_unless_granted_in(read, context, project, Permission.PROJECT_WORKFLOW)
    if project_id is None:
        raise NotFound
    await refuse_unless_sees(read, context, project)


async def refuse_unless_editable(read: Reads, part: Part) -> None:
    """Refuse if the project of *part* is deleted or archived.

    :raises NotFound: it is deleted, or *part* is of none.
    :raises ProjectIsArchived: it is archived.
    """
    if part.project_id is None:
        raise NotFound
    (await read(Project, part.project_id)).refuse_unless_editable()
