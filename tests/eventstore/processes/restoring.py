"""A process with many clients that delete and restore what cannot all be there at once."""

import asyncio
import sys
from collections.abc import Callable
from random import Random
from uuid import UUID, uuid4

from commands.base import Command
from commands.handler import CommandHandler
from commands.work.comment import DeleteComment, RestoreComment
from commands.work.label import CreateLabel, RestoreLabel
from commands.work.project import DeleteProject, RestoreProject
from commands.work.team import CreateTeam, RestoreTeam
from commands.work.trash.task import DeleteTask, RestoreTask
from domain.base import LabelId, ProjectId, TaskId, TeamId
from eventstore.open import open_store
from tests.commands.acme import CHILD, COMMENT
from tests.domain.spec import ENG, TASK
from tests.eventstore.processes.creating import insist
from tests.spec import opened

CLIENTS = 4
"""In each of the processes."""
PROJECTS = [ProjectId(UUID(int=700 + n)) for n in range(8)]
TEAMS = [TeamId(UUID(int=720 + n)) for n in range(8)]
LABELS = [LabelId(UUID(int=740 + n)) for n in range(8)]
COLOR = "#ff0000"


async def restore_projects(handler: CommandHandler, client: int) -> None:
    """Restore some of more projects than the plan has room for."""
    for project in (*PROJECTS[client:], *PROJECTS[:client]):
        await insist(handler, RestoreProject(project_id=project))


async def restore_names(handler: CommandHandler, client: int) -> None:
    """Restore teams and labels that all have the same name, or make one with it."""
    for n in (client, client + CLIENTS):
        await insist(handler, RestoreTeam(team_id=TEAMS[n]))
        await insist(handler, CreateTeam(team_id=TeamId(uuid4()), name="gears"))
        await insist(handler, RestoreLabel(label_id=LABELS[n]))
        made = CreateLabel(label_id=LabelId(uuid4()), name="BUG", color=COLOR)
        await insist(handler, made)


async def restore_below(handler: CommandHandler, seed: str) -> None:
    """Delete and restore a project, a task in it, a subtask of that and a comment on it."""
    chance = Random(seed)  # noqa: S311 - the same story each time
    below: tuple[TaskId, ...] = (CHILD,)
    kinds: list[Callable[[], Command]] = [
        lambda: DeleteProject(project_id=ENG),
        *[lambda: RestoreProject(project_id=ENG)] * 2,
        lambda: DeleteTask(task_id=TASK, below=below),
        *[lambda: RestoreTask(task_id=TASK, below=below)] * 2,
        lambda: DeleteTask(task_id=CHILD),
        lambda: RestoreTask(task_id=CHILD),
        lambda: DeleteComment(comment_id=COMMENT, task_id=CHILD),
        lambda: RestoreComment(comment_id=COMMENT, task_id=CHILD),
    ]
    for _ in range(40):
        await insist(handler, chance.choice(kinds)())


async def main(url: str, what: str, process: str) -> None:
    """Let four clients do *what* on the log at *url*."""
    store = await asyncio.to_thread(open_store, url)
    async with opened(store) as log:
        handler = CommandHandler(log)
        runs = {
            "projects": lambda n: restore_projects(handler, n),
            "names": lambda n: restore_names(handler, n),
            "parents": lambda n: restore_below(handler, f"{process} {n}"),
        }
        await asyncio.gather(*(runs[what](n) for n in range(CLIENTS)))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
