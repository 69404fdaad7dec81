"""Who watches a task, whom it mentions, and who lets go of it because they are gone."""

from collections.abc import Iterable

from domain.base import UserId
from domain.work.task.errors import TooManyWatchers
from domain.work.task.events import TaskEvent, TaskUnassigned, TaskUnwatched, TaskWatched
from domain.work.task.mentions import TaskMentioned
from domain.work.task.state import WATCHERS_MAX, Task
from domain.work.workflow.events import FINISHED


def let_watch(task: Task, user_id: UserId) -> list[TaskEvent]:
    """Return the events that let somebody watch *task*.

    :raises TooManyWatchers: ``WATCHERS_MAX`` people do.
    """
    task.refuse_unless_here()
    if user_id in task.watchers:
        return []
    if len(task.watchers) >= WATCHERS_MAX:
        raise TooManyWatchers(limit=WATCHERS_MAX)
    return [TaskWatched(user_id=user_id)]


def watched_by(task: Task, users: Iterable[UserId]) -> list[TaskEvent]:
    """Return the events by which *users* watch a task, of whom no rule may keep one from talking.

    So whoever watches already, or no longer fits, is left out.
    """
    events: list[TaskEvent] = []
    for user_id in users:
        if len(task.watchers) < WATCHERS_MAX:
            for event in let_watch(task, user_id):
                events.append(event)
                task = task.evolve(event)
    return events


def mention(task: Task, mentions: tuple[UserId, ...]) -> list[TaskEvent]:
    """Return the events by which the description of a task mentions these and no others.

    Whom it did not mention before watches the task from then on.
    """
    task.refuse_unless_here()
    if mentions == task.mentions:
        return []
    added = tuple([user_id for user_id in mentions if user_id not in task.mentions])
    return [TaskMentioned(mentions=mentions, added=added), *watched_by(task, added)]


def let_leave(task: Task, user_id: UserId) -> list[TaskEvent]:
    """Return the events that let somebody no longer watch *task*."""
    task.refuse_unless_here()
    return [TaskUnwatched(user_id=user_id)] if user_id in task.watchers else []


def let_go(task: Task, user_id: UserId) -> list[TaskEvent]:
    """Return the events that unassign somebody who is gone, also from a task in the trash.

    A finished task keeps who did it.
    """
    if user_id not in task.assignees or task.group in FINISHED:
        return []
    return [TaskUnassigned(user_id=user_id)]
