"""A process with four clients that plan, log time, repeat tasks, use templates, and undo all that.

The clocks of the clients are up to three days apart: each begins with the first day.
"""

import asyncio
import sys
from datetime import timedelta

from commands.handler import CommandHandler
from commands.undo.recall import recall
from commands.undo.undo_changes import UndoChanges
from commands.work.label import CreateLabel
from commands.work.project import CreateProject
from commands.work.task_create import CreateTask
from eventstore.log import EventLog
from eventstore.open import open_store
from tests.domain.spec import ACME, ANA, BEN, CLEO, ENG, NOW
from tests.eventstore.processes.creating import attempt
from tests.eventstore.processes.plan_choices import LABEL, OPS, TASKS, PlanChoices, ignore
from tests.spec import context, data_keys, opened

CLIENTS, COMMANDS = 4, 300
"""And besides, each client makes what the others are about."""
DAYS, TOGETHER = 4, 3
"""The days that a client takes, and how many of its commands share a correlation id."""
UNDO_EVERY, RECENT = 12, 40
"""How often a client undoes something, and among how many of the newest events it looks for it."""


async def hammer_plans(log: EventLog, seed: str) -> None:
    """Send commands one after the other, some of them under one correlation id, and undo some."""
    handler, choices = CommandHandler(log), PlanChoices(seed)
    await attempt(handler, CreateProject(project_id=OPS, key="OPS", name="Operations"))
    await attempt(handler, CreateLabel(label_id=LABEL, name="bug", color="#ff0000"))
    for task in TASKS:
        await attempt(handler, CreateTask(task_id=task, project_id=ENG, title="X"))
    for count in range(COMMANDS):
        name = f"{seed.replace(' ', '-')}-{count // TOGETHER}"
        if count % UNDO_EVERY == UNDO_EVERY - 1:
            await _undo(log, handler, name)
        now = NOW + timedelta(days=count * DAYS // COMMANDS)
        by = choices.of([ANA, ANA, BEN, CLEO])
        asked = context(by, now=now, correlation_id=name, request_id=name)
        await attempt(handler, choices.command(), asked)


async def _undo(log: EventLog, handler: CommandHandler, name: str) -> None:
    """Undo what was recently recorded under a correlation id, while others go on."""
    head = (await log.organization_heads())[ACME]
    recent = range(max(head - RECENT, 1), head + 1)
    command = UndoChanges(
        correlation_id=name,
        recalled=tuple(await recall(log, ACME, name, recent)),
        below=dict.fromkeys(TASKS, (*TASKS,)),
        fingerprint=data_keys().fingerprint,
        note=ignore,
    )
    await attempt(handler, command, context(request_id=f"undo-{name}"))


async def main(url: str, process: str) -> None:
    """Let four clients hammer the log at *url*."""
    store = await asyncio.to_thread(open_store, url)
    async with opened(store) as log:
        await asyncio.gather(*(hammer_plans(log, f"{process} {n}") for n in range(CLIENTS)))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
