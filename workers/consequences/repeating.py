"""Repeating: the next task of each series is made as its time comes.

What is due is found by the claims beside the log, which change with the events themselves. So
neither a read model that lags nor a second worker makes a task twice: whoever comes second finds
that nothing is due any more.
"""

import asyncio
import logging
from uuid import UUID

from commands.base import Command, Context
from commands.claims.recurrence import REPEATS, DueTask, due_task, value_until
from commands.planning.recurrence import RepeatTask, SkipOccurrence
from domain.base import PLATFORM, DomainError
from domain.work.task.events import TaskStatusChanged
from domain.work.task.recurrence_events import TaskRecurrenceEvent
from eventstore.append import ConcurrencyConflict
from eventstore.claim import ClaimKey
from eventstore.recorded import Actor, ActorKind
from runtime.system import System
from workers.consequences.base import READ_AT_ONCE

DUE_MAX = 500
"""How many tasks that are due are looked at before the other jobs get their turn."""
_PAUSE_S = 0.05
_CAUSES = (TaskRecurrenceEvent, TaskStatusChanged)
_logger = logging.getLogger(__name__)


async def repeat_due_tasks(system: System) -> int:
    """Make the next task of every series that is due, ``DUE_MAX`` at most; return how many."""
    below, after, seen, made = value_until(system.clock()), b"", 0, 0
    while seen < DUE_MAX:
        held = ClaimKey(PLATFORM, REPEATS, PLATFORM, after)
        values = await system.log.claimed_between(held, below, READ_AT_ONCE)
        for value in values:
            made += await _repeat(system, due_task(value))
        if len(values) < READ_AT_ONCE:
            break
        seen, after = seen + len(values), values[-1]
        await asyncio.sleep(_PAUSE_S)
    return made


async def _repeat(system: System, due: DueTask) -> bool:
    """Make one task, or skip its day if it is refused; return whether it was made."""
    try:
        cause = await _cause(system, due)
        try:
            return await _run(system, due, RepeatTask(task_id=due.task_id), cause)
        except DomainError as refused:
            _logger.info("the task after %s is not made: %s", due.task_id, refused)
            skipping = SkipOccurrence(task_id=due.task_id, because=refused.code)
            await _run(system, due, skipping, cause)
    except ConcurrencyConflict:
        _logger.info("the task after %s waits: others change the same things", due.task_id)
    return False


async def _run(system: System, due: DueTask, command: Command, cause: UUID | None) -> bool:
    """Run a command as the system; return whether it was needed."""
    context = Context(
        actor=Actor(ActorKind.SYSTEM, due.org_id),
        now=system.clock(),
        org_id=due.org_id,
        causation_id=cause,
    )
    return bool((await system.commands.handle(command, context)).events)


async def _cause(system: System, due: DueTask) -> UUID | None:
    """Return the event because of which a task repeats now: its rule, or that it was finished."""
    events = await system.log.stream(due.task_id, due.org_id)
    causes = [each.id for each in events if isinstance(each.event, _CAUSES)]
    return causes[-1] if causes else None
