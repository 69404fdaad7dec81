"""An organization with a history, recorded by the real handler."""

from typing import Any
from uuid import uuid4

from commands.handler import CommandHandler
from commands.identity.organization import CreateOrganization
from commands.identity.user import RegisterUser
from commands.work.project import CreateProject
from commands.work.task import EditTask
from commands.work.task_create import CreateTask
from domain.base import ProjectId, TaskId
from eventstore.log import EventLog
from tests.domain.spec import ACME, ANA
from tests.spec import context

TITLES = ("Ship it", "Paint the fence", "Call Ben", "Rest")


async def found_acme(log: EventLog) -> tuple[CommandHandler, ProjectId, list[TaskId]]:
    """Register Ana with ACME, a project and four tasks, the first of them renamed."""
    handler = CommandHandler(log)
    request: dict[str, Any] = {"ip": "203.0.113.7", "user_agent": "curl/8"}
    organization = CreateOrganization(organization_id=ACME, name="Acme", subdomain="acme")
    await handler.handle(
        RegisterUser(
            user_id=ANA,
            email="ana@example.test",
            name="Ana",
            password_hash=b"hash",
            organization=organization,
        ),
        context(org_id=None, **request),
    )
    project_id = ProjectId(uuid4())
    await handler.handle(
        CreateProject(project_id=project_id, key="ENG", name="Engineering"), context(**request)
    )
    tasks: list[TaskId] = []
    for title in TITLES:
        tasks.append(TaskId(uuid4()))
        creating = CreateTask(task_id=tasks[-1], project_id=project_id, title=title)
        await handler.handle(creating, context(**request))
    await handler.handle(EditTask(task_id=tasks[0], title="Ship it now"), context(**request))
    return handler, project_id, tasks
