"""An organization with users, a project and tasks, created by the real commands."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID, uuid4

from commands.base import Command, Context
from commands.handler import CommandHandler
from commands.identity.organization import CreateOrganization
from commands.identity.user import RegisterUser
from commands.receipt import Receipt
from commands.work.project import CreateProject
from commands.work.task import ChangeTaskStatus
from commands.work.task_create import CreateTask
from domain.base import OrgId, ProjectId, TaskId, UserId
from domain.work.task.events import TaskStatus
from eventstore.identifiers import new_id, random_bytes
from eventstore.log import EventLog
from eventstore.recorded import Actor, ActorKind
from eventstore.store import Store
from security.sealing import DataKeys, master_keys

IP = "203.0.113.7"
USER_AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:141.0) Gecko/20100101 Firefox/141.0"
DESCRIPTION = "As an operator I want to see what was decided and when, so that I can explain it. "
ROUND_TRIP = (TaskStatus.IN_PROGRESS, TaskStatus.IN_REVIEW, TaskStatus.IN_PROGRESS, TaskStatus.TODO)
"""Status changes that lead back to the status of a new task."""


class Office:
    """A user who works in an organization, on a log of their own."""

    def __init__(self, log: EventLog) -> None:
        self.log = log
        self.commands = CommandHandler(log)
        self.user_id, self.org_id = UserId(uuid4()), OrgId(uuid4())
        self.project_id = ProjectId(uuid4())

    def context(self) -> Context:
        """Return the context of one command, as for a request."""
        return Context(
            actor=Actor(ActorKind.USER, self.user_id),
            now=datetime.now(UTC),
            org_id=self.org_id,
            ip=IP,
            user_agent=USER_AGENT,
            request_id="01JZ4R7C8N6WQ0T2X9K5",
        )

    async def do(self, command: Command) -> Receipt:
        return await self.commands.handle(command, self.context())

    async def furnish(self) -> None:
        """Register the user with an organization and create the project."""
        organization = CreateOrganization(
            organization_id=self.org_id, name="Acme", subdomain=f"acme-{self.org_id.hex[:8]}"
        )
        await self.do(
            RegisterUser(
                user_id=self.user_id,
                email=f"{self.user_id.hex}@example.com",
                name="Ana",
                password_hash=b"none",
                organization=organization,
            )
        )
        await self.do(CreateProject(project_id=self.project_id, key="ENG", name="Engineering"))

    async def add_task(self, number: int) -> TaskId:
        """Create a task with a title and description of ordinary length."""
        task_id = TaskId(new_id())
        title = f"Say what task {number} is about"
        await self.do(
            CreateTask(
                task_id=task_id,
                project_id=self.project_id,
                title=title,
                description=DESCRIPTION * 2,
            )
        )
        return task_id

    async def add_tasks(self, count: int) -> list[TaskId]:
        return [await self.add_task(number) for number in range(count)]

    async def move(self, task_id: TaskId, path: Sequence[TaskStatus]) -> None:
        for status in path:
            await self.do(ChangeTaskStatus(task_id=task_id, to=status))


def office_in(part: int, log: EventLog) -> Office:
    """Return an office whose organization is in that partition."""
    while True:
        office = Office(log)
        if log.part(office.org_id) == part:
            return office


async def open_log(store: Store) -> EventLog:
    """Open a log on *store* with new keys."""
    log = EventLog(
        store, DataKeys(master_keys(UUID(int=0).hex * 2), b"pepper" * 6, random=random_bytes)
    )
    await log.open()
    return log
