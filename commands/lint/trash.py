"""The rules about tasks in the trash, checked on the states that the events fold to."""

from collections import Counter
from collections.abc import Iterator
from itertools import takewhile
from typing import Any

from commands.lint.rules import Known
from domain.base import Event
from domain.work.task.events import (
    TaskDeleted,
    TaskMoved,
    TaskReparented,
    TaskRestored,
    TaskUnassigned,
    TaskUnlabelled,
    TaskUnwatched,
)
from domain.work.task.state import LEVELS_MAX, Task

_MOVING = TaskMoved | TaskReparented | TaskUnlabelled | TaskUnassigned | TaskUnwatched
"""A subtask in the trash goes where its parent goes, and who cannot see it there leaves it."""


def broken_trash(event: Event, before: Any, after: Any, known: Known) -> Iterator[str]:
    """Yield the rules about the trash that *event* breaks, given its stream around it."""
    if not isinstance(before, Task) or before.project_id is None:
        return
    if before.deleted and not isinstance(event, TaskRestored | _MOVING):
        yield "a deleted task is changed"
    hidden = any(above.deleted for above in _above(after, known))
    if hidden and not isinstance(event, _MOVING):
        yield "a task below a deleted one is changed"
    if isinstance(event, TaskMoved) and event.below_trash is not hidden:
        yield "a task says wrongly whether it is below a deleted one"
    if isinstance(event, TaskDeleted | TaskRestored):
        yield from _below(event, after, known)


def _below(event: TaskDeleted | TaskRestored, root: Task, known: Known) -> Iterator[str]:
    hides: Counter[str] = Counter()
    for each in event.below:
        task = known(each)
        path = [task, *_above(task, known)] if isinstance(task, Task) else []
        if not any(above is root for above in path[1:]):
            yield "a deletion hides a task that is not below"
            return
        if not any(one.deleted for one in takewhile(lambda one: one is not root, path)):
            hides[path[0].status] += 1
    if {each.status: each.tasks for each in event.hides} != hides:
        yield "a deletion counts the tasks below wrongly"


def _above(task: Task, known: Known) -> Iterator[Task]:
    """Yield the tasks above *task*, the nearest first."""
    above = task
    for _ in range(LEVELS_MAX):
        found = None if above.parent_id is None else known(above.parent_id)
        if not isinstance(found, Task):
            return
        above = found
        yield above
