"""The rules about the trash, checked on the states that the events fold to."""

from collections import Counter
from collections.abc import Iterator
from itertools import takewhile
from typing import Any
from uuid import UUID

from commands.lint.rules import Known
from commands.work.trash.things import PURGED
from domain.base import Event
from domain.catalog import tag_of
from domain.identity.api_key.events import ApiKeyPurged
from domain.work.task.custom_field import TaskFieldSet
from domain.work.task.events import (
    TaskDeleted,
    TaskMoved,
    TaskReparented,
    TaskRestored,
    TaskUnassigned,
    TaskUnlabelled,
    TaskUnwatched,
)
from domain.work.task.plan_events import TaskCycleChanged, TaskMilestoneChanged
from domain.work.task.planning import count_planned
from domain.work.task.state import LEVELS_MAX, Task

_MOVING = TaskMoved | TaskReparented | TaskUnlabelled | TaskUnassigned | TaskUnwatched
"""A subtask in the trash goes where its parent goes, and who cannot see it there leaves it.

One that is purged does so, too: it says no more than where it was."""
_PLANNING = TaskCycleChanged | TaskMilestoneChanged
_EMPTYING = _PLANNING | TaskFieldSet
"""What a task that moves leaves behind is set to null."""


def broken_trash(event: Event, before: Any, after: Any, known: Known, owner: Any) -> Iterator[str]:
    """Yield the rules about the trash that *event* breaks, given its stream around it.

    *owner* is its organization.
    """
    if getattr(before, "purged", False) and not isinstance(event, _MOVING):
        yield "what is purged is changed"
    yield from _restored(event, before)
    if isinstance(event, ApiKeyPurged) and not owner.purged:
        yield "an API key is purged without its organization"
    if isinstance(event, PURGED):
        if not (
            before.deleted or owner.purged or any(_purged(each, known) for each in _around(before))
        ):
            yield "something is purged that is neither in the trash nor in what is purged"
        return
    if not isinstance(before, Task) or before.project_id is None:
        return
    moving = isinstance(event, _MOVING) or (isinstance(event, _EMPTYING) and event.to is None)
    if before.deleted and not (moving or isinstance(event, TaskRestored)):
        yield "a deleted task is changed"
    hidden = any(above.deleted for above in tasks_above(after, known))
    if hidden and not moving:
        yield "a task below a deleted one is changed"
    if isinstance(event, TaskMoved | _PLANNING) and event.below_trash is not hidden:
        yield "a task says wrongly whether it is below a deleted one"
    if isinstance(event, TaskDeleted | TaskRestored):
        yield from _below(event, after, known)


def _around(thing: Any) -> Iterator[UUID | None]:
    """Yield what a thing is in."""
    for name in ("project_id", "parent_id", "task_id"):
        yield getattr(thing, name, None)


def _restored(event: Event, before: Any) -> Iterator[str]:
    if tag_of(event).endswith(".restored") and not getattr(before, "deleted", True):
        yield "something is restored that is not in the trash"


def _purged(thing: UUID | None, known: Known) -> bool:
    return thing is not None and getattr(known(thing), "purged", False)


def _below(event: TaskDeleted | TaskRestored, root: Task, known: Known) -> Iterator[str]:
    hides: list[Task] = []
    for each in event.below:
        task = known(each)
        path = [task, *tasks_above(task, known)] if isinstance(task, Task) else []
        if not any(above is root for above in path[1:]):
            yield "a deletion hides a task that is not below"
            return
        if not any(one.deleted for one in takewhile(lambda one: one is not root, path)):
            hides.append(path[0])
    by_status = Counter(each.status for each in hides)
    if {each.status: each.tasks for each in event.hides} != by_status:
        yield "a deletion counts the tasks below wrongly"
    if event.planned != count_planned(hides):
        yield "a deletion counts wrongly what is planned below"


def tasks_above(task: Task, known: Known) -> Iterator[Task]:
    """Yield the tasks above *task*, the nearest first."""
    above = task
    for _ in range(LEVELS_MAX):
        found = None if above.parent_id is None else known(above.parent_id)
        if not isinstance(found, Task):
            return
        above = found
        yield above
