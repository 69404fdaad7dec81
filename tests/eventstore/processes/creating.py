"""A process with many clients that create and finish things, and print what became of each."""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from random import Random
from uuid import UUID, uuid4

from commands.base import Command, Context
from commands.handler import CommandHandler
from commands.hooks.webhook import CreateWebhook
from commands.work.project import CreateProject
from commands.work.relation import AddRelation, RemoveRelation
from commands.work.task import ChangeTaskStatus
from commands.work.task_create import CreateTask
from commands.work.trash.task import DeleteTask, RestoreTask
from domain.base import DomainError, ProjectId, TaskId, WebhookId
from domain.work.relation import RelationKind
from domain.work.task.events import TaskCreated, TaskStatus
from eventstore.append import ConcurrencyConflict
from eventstore.open import open_store
from tests.domain.spec import ANA, ENG, TASK
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
    """Create a project; print so, or the refusal."""
    command = CreateProject(project_id=ProjectId(uuid4()), key=key, name="One of many")
    await attempt(handler, command)


async def create_webhook(handler: CommandHandler) -> None:
    """Create a webhook; print so, or the refusal."""
    command = CreateWebhook(
        webhook_id=WebhookId(uuid4()),
        url="https://a.example",
        events=("*",),
        from_seq=0,
        sealed_secret=b"s",
    )
    await attempt(handler, command)


async def finish_below(handler: CommandHandler, client: int) -> None:
    """Finish and reopen TASK, or a subtask of it, four times; print what became of each.

    Before that, try to finish a task of one's own that has an open subtask: always refused.
    """
    above, below = TaskId(uuid4()), TaskId(uuid4())
    await insist(handler, CreateTask(task_id=above, project_id=ENG, title="My own"))
    await insist(
        handler, CreateTask(task_id=below, project_id=ENG, title="Its part", parent_id=above)
    )
    await insist(handler, ChangeTaskStatus(task_id=above, to=TaskStatus.DONE, via_path=True))
    for task_id in (below, above):
        await insist(handler, ChangeTaskStatus(task_id=task_id, to=TaskStatus.DONE, via_path=True))
    if client % 2:
        target = TaskId(uuid4())
        command = CreateTask(task_id=target, project_id=ENG, title="A part", parent_id=TASK)
        await attempt(handler, command)
    else:
        target = TASK
    for to in (TaskStatus.DONE, TaskStatus.IN_PROGRESS) * 4:
        await attempt(handler, ChangeTaskStatus(task_id=target, to=to, via_path=True))


async def relate(handler: CommandHandler, seed: str, client: int) -> None:
    """Let eight tasks block each other, end to, finish, reopen, go and come back, at random.

    Before that, relate two tasks of one's own: what becomes of this is the same each time.
    """
    await relate_own(handler)
    chance = Random(f"{seed} {client}")  # noqa: S311 - the same story each time
    tasks = [TaskId(UUID(int=900 + number)) for number in range(8)]
    mine = tasks[client % len(tasks)]
    await attempt(handler, CreateTask(task_id=mine, project_id=ENG, title="One of eight"))
    for _ in range(8):
        one, other = chance.sample(tasks, 2)
        command: Command = chance.choice(
            [
                AddRelation(task_id=one, kind=RelationKind.BLOCKS, other_id=other),
                AddRelation(task_id=one, kind=RelationKind.BLOCKED_BY, other_id=other),
                RemoveRelation(task_id=one, kind=RelationKind.BLOCKS, other_id=other),
                ChangeTaskStatus(task_id=one, to=TaskStatus.DONE, via_path=True),
                ChangeTaskStatus(task_id=one, to=TaskStatus.TODO, via_path=True),
                DeleteTask(task_id=one),
                RestoreTask(task_id=one),
            ]
        )
        await attempt(handler, command)


async def relate_own(handler: CommandHandler) -> None:
    """Let a new task block another, which can then neither block it nor be finished; end that."""
    one, other = TaskId(uuid4()), TaskId(uuid4())
    for task_id in (one, other):
        await insist(handler, CreateTask(task_id=task_id, project_id=ENG, title="My own"))
    blocks = RelationKind.BLOCKS
    await insist(handler, AddRelation(task_id=one, kind=blocks, other_id=other))
    await insist(handler, AddRelation(task_id=other, kind=blocks, other_id=one))
    await insist(handler, ChangeTaskStatus(task_id=other, to=TaskStatus.DONE, via_path=True))
    await insist(handler, RemoveRelation(task_id=one, kind=blocks, other_id=other))
    await insist(handler, ChangeTaskStatus(task_id=other, to=TaskStatus.DONE, via_path=True))


async def create_when_asked(handler: CommandHandler) -> None:
    """Create a task for each line of input, as somebody whose account was seen at version 1."""
    while await asyncio.to_thread(sys.stdin.readline):
        command = CreateTask(task_id=TaskId(uuid4()), project_id=ENG, title="One of many")
        await attempt(handler, command, context(seen={ANA: 1}))
        sys.stdout.flush()


async def insist(handler: CommandHandler, command: Command) -> None:
    """Run a command until nobody else is in its way; print its name, or why it was refused."""
    while await attempt(handler, command) == "conflict":
        pass  # somebody else got further, so this ends


async def attempt(handler: CommandHandler, command: Command, asked: Context | None = None) -> str:
    """Run a command; print and return its name, or why it was refused."""
    became = type(command).__name__
    try:
        await handler.handle(command, asked or context())
    except DomainError as refused:
        became = refused.code
    except ConcurrencyConflict:
        became = "conflict"
    acknowledge(became)
    return became


def acknowledge(what: object) -> None:
    """Print a line."""
    sys.stdout.write(f"{what}\n")


async def main(url: str, what: str, process: str) -> None:
    """Let 16 clients do *what* on the log at *url*."""
    store = await asyncio.to_thread(open_store, url)
    async with opened(store) as log:
        handler = CommandHandler(log)
        clients: dict[str, Callable[[int], Coroutine[None, None, None]]] = {
            "tasks": lambda _: create_tasks(handler, 4),
            "projects": lambda n: create_project(handler, f"P{process}X{n}"),
            "webhooks": lambda _: create_webhook(handler),
            "subtasks": lambda n: finish_below(handler, n),
            "relations": lambda n: relate(handler, process, n),
        }
        if what == "when asked":
            await create_when_asked(handler)
        else:
            await asyncio.gather(*(clients[what](n) for n in range(CLIENTS)))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
