"""Events of a task, and what takes back each of them."""

from datetime import UTC, datetime, time
from uuid import UUID

from domain.work.task import events as task
from domain.work.task.custom_field import FieldType, TaskFieldSet
from domain.work.task.mentions import TaskMentioned
from domain.work.task.plan_events import TaskCycleChanged, TaskMilestoneChanged
from domain.work.task.rank import rank_of_number
from domain.work.task.recurrence_events import Recurrence, TaskRecurrenceSet
from tests.commands.acme import CHILD
from tests.commands.planning import plans
from tests.commands.undo.rows import (
    BUG,
    DELETED,
    DOING,
    FIELD,
    LABELLED,
    PLANNED,
    SECOND,
    SIZE,
    TODO,
    Row,
    of_task,
)
from tests.domain.spec import ANA, BEN, CLEO, DAY, NOW, stepped
from tests.spec import on

REPEATS = Recurrence(
    rrule="FREQ=DAILY",
    series_id=UUID(int=81),
    number=3,
    day=NOW.date(),
    next_date=NOW.date() + DAY,
    next_at=datetime.combine(NOW.date() + DAY, time.min, UTC),
)

TASK_ROWS: list[Row] = [
    of_task(then=(DELETED,)),
    of_task(
        task.TaskRetitled(from_="Oil it", to="Grease it"),
        then=(task.TaskRetitled(from_="Grease it", to="Oil it"),),
    ),
    of_task(
        task.TaskDescribed(description="All of it"), then=(task.TaskDescribed(description=None),)
    ),
    of_task(
        TaskMentioned(mentions=(CLEO,), added=(CLEO,)),
        then=(TaskMentioned(mentions=(), added=()),),
    ),
    of_task(stepped(TODO, DOING), then=(stepped(DOING, TODO),)),
    of_task(
        task.TaskPriorityChanged(from_=task.Priority.MEDIUM, to=task.Priority.LOW),
        then=(task.TaskPriorityChanged(from_=task.Priority.LOW, to=task.Priority.MEDIUM),),
    ),
    of_task(
        task.TaskReparented(from_=None, to=CHILD),
        then=(task.TaskReparented(from_=CHILD, to=None),),
        beside=(SECOND,),
    ),
    of_task(
        task.TaskRanked(from_=rank_of_number(1), to="00000000005"),
        then=(task.TaskRanked(from_="00000000005", to=rank_of_number(1)),),
    ),
    of_task(
        task.TaskScheduled(
            from_=task.TaskSchedule(),
            to=task.TaskSchedule(start_date=NOW.date(), due_date=NOW.date()),
        ),
        then=(
            task.TaskScheduled(
                from_=task.TaskSchedule(start_date=NOW.date(), due_date=NOW.date()),
                to=task.TaskSchedule(),
            ),
        ),
    ),
    of_task(task.TaskEstimated(from_=None, to=3), then=(task.TaskEstimated(from_=3, to=None),)),
    of_task(
        task.TaskAssigned(user_id=BEN),
        then=(task.TaskUnassigned(user_id=BEN), task.TaskUnwatched(user_id=BEN)),
    ),
    of_task(
        task.TaskAssigned(user_id=BEN),
        task.TaskUnassigned(user_id=BEN),
        then=(task.TaskAssigned(user_id=BEN),),
    ),
    of_task(
        task.TaskLabelled(label_id=BUG),
        then=(task.TaskUnlabelled(label_id=BUG),),
        beside=(LABELLED,),
    ),
    of_task(
        task.TaskLabelled(label_id=BUG),
        task.TaskUnlabelled(label_id=BUG),
        then=(task.TaskLabelled(label_id=BUG),),
        beside=(LABELLED,),
    ),
    of_task(
        TaskFieldSet(key="size", kind=FieldType.SELECT, to="s"),
        then=(TaskFieldSet(key="size", kind=FieldType.SELECT, from_="s"),),
        beside=(on(SIZE, FIELD),),
    ),
    of_task(
        TaskCycleChanged(from_=None, to=plans.ONE),
        then=(TaskCycleChanged(from_=plans.ONE, to=None),),
        beside=PLANNED,
    ),
    of_task(
        TaskMilestoneChanged(from_=None, to=plans.BETA),
        then=(TaskMilestoneChanged(from_=plans.BETA, to=None),),
        beside=PLANNED,
    ),
    of_task(
        TaskRecurrenceSet(from_=None, to=REPEATS),
        then=(TaskRecurrenceSet(from_=REPEATS, to=None),),
    ),
    of_task(
        TaskRecurrenceSet(from_=None, to=REPEATS),
        TaskRecurrenceSet(from_=REPEATS, to=None),
        then=(TaskRecurrenceSet(from_=None, to=REPEATS),),
    ),
    of_task(task.TaskWatched(user_id=BEN), then=(task.TaskUnwatched(user_id=BEN),)),
    of_task(task.TaskUnwatched(user_id=ANA), then=(task.TaskWatched(user_id=ANA),)),
    of_task(DELETED, then=(task.TaskRestored(),)),
    of_task(DELETED, task.TaskRestored(), then=(DELETED,)),
]
