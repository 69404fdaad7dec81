"""Stories of how tasks repeat: who says so, what is due, and what happens at once."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from commands.base import Command
from commands.claims.recurrence import REPEATS, due_claim, due_task, value_until
from commands.handler import CommandHandler
from commands.lint.walk import lint_log
from commands.planning.recurrence import RepeatTask, StopRecurrence
from commands.work.task_move import MoveTask
from commands.work.trash.task import DeleteTask
from domain.base import PLATFORM, NotFound, TaskId
from domain.identity.organization.settings import SettingsChanged
from domain.planning.recurrence import due_at
from domain.planning.repeat_rule import NeverRepeats, RecurrenceNotValid
from domain.work.project.errors import ProjectIsArchived
from domain.work.project.events import (
    ProjectArchived,
    ProjectDeleted,
    ProjectPurged,
    ProjectVisibilityChanged,
    Visibility,
)
from domain.work.task.events import (
    TaskDeleted,
    TaskRestored,
    TaskStatus,
)
from domain.work.task.recurrence_events import (
    TaskRecurrenceSet,
)
from domain.work.task.state import Task
from domain.work.task.trash_events import TaskPurged
from eventstore.claim import ClaimKey
from eventstore.log import EventLog
from eventstore.memory import MemoryStore
from tests.commands.acme import ACCOUNTS, CREATED, HERE, OPS, STRANGERS, went
from tests.commands.planning.repeating import (
    DAILY,
    FOLLOWED,
    LATER,
    NEXT,
    ONCE_DONE,
    REPEATING,
    SET,
    TODAY,
    TOMORROW,
    asked,
    midnight,
)
from tests.commands.undo.rows import SPARE
from tests.domain.spec import ACME, ANA, BEN, CLEO, DAN, DAY, ENG, HOUR, NOW, TASK
from tests.spec import RUNNER, Past, context, folded, given, on, opened, record


class TestSetting:
    @pytest.mark.parametrize("by", [ANA, BEN, CLEO])
    def test_whoever_edits_tasks_lets_one_repeat_and_stop(self, by: Any) -> None:
        given(*HERE).when(asked(), by=by).then(on(TASK, SET))
        stopped = TaskRecurrenceSet(from_=DAILY, to=None)
        given(*REPEATING).when(StopRecurrence(task_id=TASK), by=by).then(on(TASK, stopped))

    def test_what_is_so_already_records_nothing(self) -> None:
        given(*REPEATING).when(asked()).then()
        given(*HERE).when(StopRecurrence(task_id=TASK)).then()

    def test_days_are_those_of_the_organization(self) -> None:
        tonga = on(ACME, SettingsChanged(time_zone="Pacific/Tongatapu"))  # 13 hours ahead
        late = datetime(2026, 3, 1, 11, tzinfo=UTC)
        there = replace(
            DAILY,
            day=TODAY + DAY,
            next_date=TODAY + 2 * DAY,
            next_at=midnight(TODAY + DAY) + 11 * HOUR,
        )
        given(*HERE, tonga).when(asked(), now=late).then(TaskRecurrenceSet(from_=None, to=there))

    @pytest.mark.parametrize(
        ("rrule", "error"),
        [("FREQ=HOURLY", RecurrenceNotValid), ("FREQ=DAILY;UNTIL=20260301", NeverRepeats)],
    )
    def test_a_rule_that_is_none_or_ends_is_refused(self, rrule: str, error: Any) -> None:
        given(*HERE).when(asked(rrule)).then_refused(error)

    @pytest.mark.parametrize("command", [asked(), StopRecurrence(task_id=TASK)])
    def test_others_and_what_is_gone_are_refused(self, command: Command) -> None:
        private = ProjectVisibilityChanged(from_=Visibility.ORGANIZATION, to=Visibility.PRIVATE)
        given(*REPEATING, *STRANGERS).when(command, by=DAN).then_refused(NotFound)
        given(*REPEATING, on(ENG, private)).when(command, by=CLEO).then_refused(NotFound)
        given(*REPEATING, on(ENG, ProjectArchived())).when(command).then_refused(ProjectIsArchived)
        given(*REPEATING, on(ENG, ProjectDeleted())).when(command).then_refused(NotFound)
        given(*REPEATING, on(TASK, TaskDeleted())).when(command).then_refused(NotFound)


async def claimed(log: EventLog) -> list[tuple[TaskId, bool]]:
    """Return the tasks that hold a claim, and whether the next one is due tomorrow."""
    first = ClaimKey(PLATFORM, REPEATS, PLATFORM, b"")
    found = await log.claimed_between(first, b"\xff", 9)
    return [(due_task(value).task_id, value < value_until(NOW + DAY)) for value in found]


class TestClaims:
    @pytest.mark.parametrize(
        ("more", "expected"),
        [
            ((), [(TASK, True)]),
            ((on(TASK, TaskRecurrenceSet(from_=DAILY, to=LATER)),), [(TASK, False)]),
            ((on(TASK, TaskRecurrenceSet(from_=DAILY, to=None)),), []),
            ((on(TASK, TaskDeleted()),), []),
            ((on(TASK, TaskDeleted(), TaskPurged()),), []),
            ((on(ENG, ProjectDeleted(), ProjectPurged()), on(TASK, TaskPurged())), []),
            ((on(TASK, TaskDeleted(), TaskRestored()),), [(TASK, True)]),
            (FOLLOWED, [(NEXT, False)]),
            ((on(TASK, TaskRecurrenceSet(from_=DAILY, to=ONCE_DONE)),), []),
            (
                (
                    on(
                        TASK,
                        TaskRecurrenceSet(from_=DAILY, to=ONCE_DONE),
                        *went(TaskStatus.CANCELLED),
                    ),
                ),
                [(TASK, True)],
            ),
        ],
    )
    def test_a_claim_says_from_when_on_the_next_task_is_due(
        self, more: tuple[Past, ...], expected: list[tuple[TaskId, bool]]
    ) -> None:
        async def story() -> None:
            async with opened(MemoryStore()) as log:
                await record(log, *ACCOUNTS, *REPEATING)
                await record(log, *more)
                assert await claimed(log) == expected
                assert [each async for each in lint_log(log)] == []

        RUNNER.run(story())

    def test_claims_follow_the_order_of_the_log_although_clocks_differ(self) -> None:
        async def story() -> None:
            async with opened(MemoryStore()) as log:
                await record(log, *ACCOUNTS, *HERE)
                await record(log, on(TASK, SET), at=NOW + HOUR)
                await record(log, on(TASK, TaskRecurrenceSet(from_=DAILY, to=None)), at=NOW)
                assert await claimed(log) == []
                assert [each async for each in lint_log(log)] == []

        RUNNER.run(story())

    def test_a_task_is_due_at_the_very_moment_and_not_before(self) -> None:
        at = midnight(TODAY + DAY)
        claim = due_claim(ACME, TASK, Task().evolve(CREATED).evolve(SET))
        assert claim is not None
        assert value_until(at - timedelta(microseconds=1)) < claim.value < value_until(at)
        assert due_task(claim.value)[:2] == (ACME, TASK)


class TestTogether:
    def test_of_several_workers_one_makes_the_task(self) -> None:
        async def story() -> None:
            async with opened(MemoryStore()) as log:
                await record(log, *ACCOUNTS, *REPEATING)
                workers = [CommandHandler(log) for _ in range(5)]
                command, system = RepeatTask(task_id=TASK), context(**TOMORROW)

                made = await asyncio.gather(*(each.handle(command, system) for each in workers))

                assert sorted(bool(each.events) for each in made) == [False] * 4 + [True]
                assert await claimed(log) == [(NEXT, False)]
                assert [each async for each in lint_log(log)] == []

        RUNNER.run(story())

    @pytest.mark.parametrize("worker_first", [False, True])
    @pytest.mark.parametrize(
        "other",
        [
            StopRecurrence(task_id=TASK),
            asked("FREQ=DAILY;INTERVAL=2"),
            MoveTask(task_id=TASK, project_id=OPS),
            DeleteTask(task_id=TASK),
        ],
    )
    def test_what_happens_at_the_same_moment_comes_before_or_after(
        self, other: Command, worker_first: bool
    ) -> None:
        """The next task is where the task is, by the rule that it has, or there is none."""

        async def story() -> None:
            async with opened(MemoryStore()) as log:
                await record(log, *ACCOUNTS, *REPEATING, SPARE)
                both = [
                    CommandHandler(log).handle(RepeatTask(task_id=TASK), context(**TOMORROW)),
                    CommandHandler(log).handle(other, context(now=NOW + DAY)),
                ]

                await asyncio.gather(*(both if worker_first else reversed(both)))

                before = await folded(log, Task, TASK, ACME)
                after = await folded(log, Task, NEXT, ACME)
                if after.project_id is None:
                    assert not isinstance(other, MoveTask)
                    assert before.recurrence is None or before.deleted or due_at(before) != NOW
                else:
                    assert after.project_id in (ENG, before.project_id)
                    assert await claimed(log) in ([(NEXT, False)], [(NEXT, False), (TASK, False)])
                assert [each async for each in lint_log(log)] == []

        RUNNER.run(story())
