"""A process that creates tasks with many clients at once and prints what became of each."""

import asyncio
import sys
from uuid import uuid4

from commands.handler import CommandHandler
from commands.work.project import CreateProject
from commands.work.task import CreateTask
from domain.base import DomainError, ProjectId, TaskId
from domain.work.task.events import TaskCreated
from eventstore.open import open_store
from tests.domain.spec import ENG
from tests.spec import context, opened

CLIENTS = 16


async def create_tasks(handler: CommandHandler, count: int) -> None:
    """Create *count* tasks one after the other; print the number of each, or the refusal."""
    for _ in range(count):
        command = CreateTask(task_id=TaskId(uuid4()), project_id=ENG, title="One of many")
        receipt = await handler.handle(command, context())
        [created] = receipt.events[0].events
        assert isinstance(created, TaskCreated)
        acknowledge(created.number)


async def create_project(handler: CommandHandler, key: str) -> None:
    """Create a project; print its key, or the refusal."""
    command = CreateProject(project_id=ProjectId(uuid4()), key=key, name="One of many")
    try:
        await handler.handle(command, context())
    except DomainError as refused:
        acknowledge(refused.code)
    else:
        acknowledge(key)


def acknowledge(what: object) -> None:
    """Print a line."""
    sys.stdout.write(f"{what}\n")


async def main(url: str, what: str, process: str) -> None:
    """Let 16 clients create tasks or projects on the log at *url*."""
    store = await asyncio.to_thread(open_store, url)
    async with opened(store) as log:
        handler = CommandHandler(log)
        if what == "tasks":
            await asyncio.gather(*(create_tasks(handler, 4) for _ in range(CLIENTS)))
        else:
            keys = [f"P{process}X{n}" for n in range(CLIENTS)]
            await asyncio.gather(*(create_project(handler, key) for key in keys))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
