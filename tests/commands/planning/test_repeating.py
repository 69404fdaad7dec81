"""Stories of the next task of a series, and of days that are skipped."""

from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from commands.handler import CommandHandler
from commands.lint.walk import lint_log
from commands.planning.recurrence import RepeatTask, SkipOccurrence
from domain.base import Event, NotFound
from domain.identity.organization.events import OrganizationDeleted
from domain.identity.organization.membership import LeaveCause, MemberJoined, MemberLeft, Role
from domain.identity.plan import Countable, Plan, PlanLimitReached, limit_of
from domain.planning.field import FieldDeleted, FieldOptionsChanged, OptionRule, stream_of_field
from domain.work.label import LabelDeleted
from domain.work.project.errors import ProjectIsArchived, ProjectOnHold
from domain.work.project.events import (
    ProjectArchived,
    ProjectDeleted,
    ProjectPutOnHold,
    ProjectVisibilityChanged,
    Visibility,
)
from domain.work.task.custom_field import FieldType, TaskFieldSet
from domain.work.task.events import (
    Priority,
    TaskAssigned,
    TaskDeleted,
    TaskDescribed,
    TaskEstimated,
    TaskLabelled,
    TaskPriorityChanged,
    TaskReparented,
    TaskRetitled,
    TaskSchedule,
    TaskScheduled,
    TaskStatus,
    TaskUnwatched,
    TaskWatched,
)
from domain.work.task.mentions import TaskMentioned
from domain.work.task.recurrence_events import (
    TaskOccurrenceSkipped,
    TaskRecurrenceSet,
)
from eventstore.log import EventLog
from tests.commands.acme import ACCOUNTS, CHILD, HERE, task, went
from tests.commands.planning.repeating import (
    CHOICE,
    DAILY,
    DONE,
    FOLLOWED,
    LATER,
    MADE,
    NEXT,
    ONCE_DONE,
    REPEATING,
    SET,
    TODAY,
    TOMORROW,
    midnight,
)
from tests.commands.undo.rows import BUG, FIELD, LABELLED, SIZE
from tests.domain.spec import ACME, ANA, BEN, CLEO, DAN, DAY, ENG, NOW, TASK
from tests.spec import Past, context, given, on, record


class TestRepeating:
    def test_the_next_task_is_made_as_its_day_begins(self) -> None:
        given(*REPEATING).when(RepeatTask(task_id=TASK), **TOMORROW).then(*FOLLOWED)
        early = {**TOMORROW, "now": midnight(TODAY + DAY)}
        early_made = replace(MADE, created_at=early["now"])
        given(*REPEATING).when(RepeatTask(task_id=TASK), **early).then(
            early_made, TaskRecurrenceSet(from_=None, to=LATER), DONE
        )

    @pytest.mark.parametrize("command", [RepeatTask, SkipOccurrence])
    def test_whoever_comes_second_or_too_early_records_nothing(self, command: Any) -> None:
        about = {} if command is RepeatTask else {"because": "not_found"}
        second = command(task_id=TASK, **about)
        given(*REPEATING, *FOLLOWED).when(second, **TOMORROW).then()
        given(*REPEATING).when(second).then()
        given(*HERE).when(second, **TOMORROW).then()
        given(*REPEATING, on(TASK, TaskDeleted())).when(second, **TOMORROW).then()

    def test_a_task_that_is_there_already_is_not_made_again(self) -> None:
        given(*REPEATING, on(NEXT, task(2))).when(RepeatTask(task_id=TASK), **TOMORROW).then(
            on(TASK, DONE)
        )

    def test_what_describes_the_work_is_taken_over(self) -> None:
        due = TaskSchedule(start_date=TODAY, due_date=TODAY + 2 * DAY)
        moved = TaskSchedule(start_date=TODAY + DAY, due_date=TODAY + 3 * DAY)
        described = (
            TaskRetitled(from_="Oil it", to="Oil all"),
            TaskDescribed(description="With @Ben"),
            TaskPriorityChanged(from_=Priority.MEDIUM, to=Priority.HIGH),
            TaskEstimated(from_=None, to=3),
            TaskReparented(from_=None, to=CHILD),
            TaskMentioned(mentions=(BEN,), added=(BEN,)),
            TaskScheduled(from_=TaskSchedule(), to=due),
            *went(TaskStatus.IN_PROGRESS),
        )
        past = (*HERE, on(CHILD, task(2)), on(TASK, *described, SET))
        made = replace(
            MADE,
            number=3,
            title="Oil all",
            description="With @Ben",
            priority=Priority.HIGH,
            parent_id=CHILD,
        )
        given(*past).when(RepeatTask(task_id=TASK), **TOMORROW).then(
            on(
                NEXT,
                made,
                TaskScheduled(from_=TaskSchedule(), to=moved),
                TaskEstimated(from_=None, to=3),
                TaskMentioned(mentions=(BEN,), added=()),
                TaskRecurrenceSet(from_=None, to=LATER),
            ),
            on(TASK, DONE),
        )

    def test_people_are_taken_over_who_still_see_the_project(self) -> None:
        concerned = (
            TaskAssigned(user_id=BEN),
            TaskAssigned(user_id=CLEO),
            TaskAssigned(user_id=DAN),
            TaskUnwatched(user_id=BEN),
            TaskUnwatched(user_id=ANA),
        )
        joined = on(ACME, MemberJoined(user_id=DAN, role=Role.MEMBER))
        left = on(ACME, MemberLeft(user_id=DAN, cause=LeaveCause.REMOVED))
        private = ProjectVisibilityChanged(from_=Visibility.ORGANIZATION, to=Visibility.PRIVATE)
        past = (*HERE, joined, on(TASK, *concerned, SET), left)
        command = RepeatTask(task_id=TASK)
        given(*past).when(command, **TOMORROW).then(
            MADE,
            TaskAssigned(user_id=BEN),
            TaskAssigned(user_id=CLEO),
            TaskUnwatched(user_id=ANA),
            TaskUnwatched(user_id=BEN),
            TaskRecurrenceSet(from_=None, to=LATER),
            DONE,
        )
        given(*past, on(ENG, private)).when(command, **TOMORROW).then(
            MADE, TaskUnwatched(user_id=ANA), TaskRecurrenceSet(from_=None, to=LATER), DONE
        )

    def test_whoever_watches_goes_on_watching(self) -> None:
        watched = on(TASK, TaskWatched(user_id=CLEO), SET)
        given(*HERE, watched).when(RepeatTask(task_id=TASK), **TOMORROW).then(
            MADE, TaskWatched(user_id=CLEO), TaskRecurrenceSet(from_=None, to=LATER), DONE
        )

    @pytest.mark.parametrize("gone", [False, True])
    def test_labels_and_fields_are_taken_over_unless_they_are_gone(self, gone: bool) -> None:
        labelled, sized = TaskLabelled(label_id=BUG), TaskFieldSet(key="size", kind=CHOICE, to="s")
        past = (*HERE, LABELLED, on(SIZE, FIELD), on(TASK, labelled, sized, SET))
        trash = (on(BUG, LabelDeleted()), on(SIZE, FieldDeleted(project_id=ENG))) if gone else ()
        taken = () if gone else (labelled, sized)
        given(*past, *trash).when(RepeatTask(task_id=TASK), **TOMORROW).then(
            MADE, *taken, TaskRecurrenceSet(from_=None, to=LATER), DONE
        )

    def test_a_retired_option_is_not_taken_over_nor_a_person_who_left(self) -> None:
        owner = replace(FIELD, key="owner", name="Owner", kind=FieldType.USER, options=())
        values = (
            TaskFieldSet(key="owner", kind=FieldType.USER, to=str(DAN)),
            TaskFieldSet(key="size", kind=CHOICE, to="s"),
        )
        joined = on(ACME, MemberJoined(user_id=DAN, role=Role.MEMBER))
        retired = FieldOptionsChanged(
            project_id=ENG, options=(OptionRule(key="s", retired=True),), option_names="Small"
        )
        left = on(ACME, MemberLeft(user_id=DAN, cause=LeaveCause.REMOVED))
        fields = (on(SIZE, FIELD), on(stream_of_field(ENG, "owner"), owner))
        past = (*HERE, joined, *fields, on(TASK, *values, SET))
        again = TaskRecurrenceSet(from_=None, to=LATER)
        given(*past).when(RepeatTask(task_id=TASK), **TOMORROW).then(MADE, *values, again, DONE)
        given(*past, on(SIZE, retired), left).when(RepeatTask(task_id=TASK), **TOMORROW).then(
            MADE, again, DONE
        )

    def test_the_last_task_of_a_series_does_not_repeat(self) -> None:
        two = replace(DAILY, rrule="FREQ=DAILY;COUNT=2")
        past = (*HERE, on(TASK, TaskRecurrenceSet(from_=None, to=two)))
        given(*past).when(RepeatTask(task_id=TASK), **TOMORROW).then(MADE, DONE)

    def test_after_completion_it_is_made_once_the_task_is_finished(self) -> None:
        past = (*HERE, on(TASK, TaskRecurrenceSet(from_=None, to=ONCE_DONE)))
        command = RepeatTask(task_id=TASK)
        given(*past).when(command, **TOMORROW).then()
        finished = on(TASK, *went(TaskStatus.IN_PROGRESS, TaskStatus.IN_REVIEW, TaskStatus.DONE))
        due = TaskSchedule(due_date=TODAY + DAY)
        given(*past, finished).when(command, now=NOW).then(
            replace(MADE, created_at=NOW),
            TaskScheduled(from_=TaskSchedule(), to=due),
            TaskRecurrenceSet(from_=None, to=replace(ONCE_DONE, number=2, day=TODAY + DAY)),
            DONE,
        )
        over = replace(ONCE_DONE, rrule="FREQ=DAILY;UNTIL=20260301")
        ended = (*HERE, on(TASK, TaskRecurrenceSet(from_=None, to=over)), finished)
        given(*ended).when(command, now=NOW).then(TaskRecurrenceSet(from_=over, to=None))

    @pytest.mark.parametrize(
        ("more", "error"),
        [
            (on(ENG, ProjectPutOnHold()), ProjectOnHold),
            (on(ENG, ProjectArchived()), ProjectIsArchived),
            (on(ENG, ProjectDeleted()), NotFound),
            (on(ACME, OrganizationDeleted()), NotFound),
        ],
    )
    def test_nothing_is_made_where_nobody_could_make_a_task(self, more: Past, error: Any) -> None:
        given(*REPEATING, more).when(RepeatTask(task_id=TASK), **TOMORROW).then_refused(error)

    def test_nothing_is_made_below_a_task_in_the_trash(self) -> None:
        above = (on(CHILD, task(2)), on(TASK, TaskReparented(from_=None, to=CHILD)))
        gone = on(CHILD, TaskDeleted(below=(TASK,)))
        given(*REPEATING, *above, gone).when(RepeatTask(task_id=TASK), **TOMORROW).then_refused(
            NotFound
        )

    def test_the_limits_of_the_plan_hold(self) -> None:
        limit = limit_of(Plan.FREE, Countable.TASKS)
        assert limit is not None
        others = [on(UUID(int=10_000 + n), task(n)) for n in range(2, limit + 1)]
        given(*REPEATING, *others).when(RepeatTask(task_id=TASK), **TOMORROW).then_refused(
            PlanLimitReached
        )

    def test_a_skipped_day_is_told_with_its_reason(self) -> None:
        to = replace(
            DAILY,
            next_date=TODAY + 2 * DAY,
            next_at=midnight(TODAY + 2 * DAY),
            skipped_date=TODAY + DAY,
            skipped_because="project_on_hold",
        )
        skipped = TaskOccurrenceSkipped(date=TODAY + DAY, because="project_on_hold", to=to)
        command = SkipOccurrence(task_id=TASK, because="project_on_hold")
        given(*REPEATING).when(command, **TOMORROW).then(on(TASK, skipped))
        given(*REPEATING, on(TASK, skipped)).when(command, **TOMORROW).then()

    @pytest.mark.parametrize("gone", [ProjectArchived(), ProjectDeleted()])
    async def test_a_day_is_skipped_without_a_finding_where_nothing_else_changes(
        self, log: EventLog, handler: CommandHandler, gone: Event
    ) -> None:
        await record(log, *ACCOUNTS, on(TASK, SET), on(ENG, gone))
        command = SkipOccurrence(task_id=TASK, because="project_archived")

        receipt = await handler.handle(command, context(**TOMORROW))

        [change] = receipt.events
        assert [type(each) for each in change.events] == [TaskOccurrenceSkipped]
        assert [str(each) async for each in lint_log(log)] == []
