"""Stories of the commands on logged time."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from commands.base import Command, NotPermitted
from commands.content_counts import minutes_spent_on, worklogs_on
from commands.handler import CommandHandler
from commands.lint.walk import lint_log
from commands.planning.worklog import ChangeWorklog, DeleteWorklog, LogTime, RestoreWorklog
from commands.work.trash.purge import PurgeContents, PurgeTrashed
from commands.work.trash.task import DeleteTask
from commands.work.trash.things import Thing
from domain.base import NotFound, UserId, WorklogId
from domain.identity.organization.membership import MemberDeactivated
from domain.identity.organization.settings import SettingsChanged
from domain.planning import worklog
from domain.planning.worklog import (
    DayOutOfRange,
    TooManyWorklogs,
    WorklogChanged,
    WorklogDeleted,
    WorklogRestored,
)
from domain.work.project.errors import ProjectIsArchived
from domain.work.project.events import (
    ProjectArchived,
    ProjectDeleted,
    ProjectPutOnHold,
    ProjectVisibilityChanged,
    Visibility,
)
from domain.work.task.errors import CannotSeeProject, ParentInTrash
from domain.work.task.events import TaskDeleted
from domain.work.task.trash_events import TaskPurged
from domain.work.trash import TrashKind
from eventstore.memory import MemoryStore
from tests.commands.acme import ACCOUNTS, CHILD, FOREIGN_TASK, HERE, STRANGERS, task
from tests.commands.planning.plans import SPENT, SPENT_ON, spent
from tests.domain.spec import ACME, ANA, BEN, CLEO, DAN, ENG, NOW, TASK
from tests.spec import context, given, on, opened, record

MORE = WorklogId(CHILD)
LOGGED = (*HERE, on(SPENT, spent(CLEO)))
GONE = on(SPENT, WorklogDeleted(task_id=TASK, minutes=30, deleted_by=CLEO))
ARCHIVED = on(ENG, ProjectArchived())
TODAY = NOW.date()


def log(**about: Any) -> LogTime:
    details: dict[str, Any] = {
        "worklog_id": SPENT,
        "task_id": TASK,
        "minutes": 30,
        "day": SPENT_ON,
        "note": "Oiled",
    }
    return LogTime(**(details | about))


def change(**about: Any) -> ChangeWorklog:
    return ChangeWorklog(task_id=TASK, worklog_id=SPENT, **about)


def changed(**about: Any) -> WorklogChanged:
    details: dict[str, Any] = {"minutes": 30, "by": 0, "day": SPENT_ON, "note": "Oiled"}
    return WorklogChanged(task_id=TASK, **(details | about))


DELETE = DeleteWorklog(task_id=TASK, worklog_id=SPENT)
RESTORE = RestoreWorklog(task_id=TASK, worklog_id=SPENT)


class TestLogTime:
    def test_every_member_logs_their_time_on_a_task(self) -> None:
        for by in (ANA, BEN, CLEO):
            given(*HERE).when(log(), by=by).then(on(SPENT, spent(by)))

    def test_the_day_is_today_where_the_organization_is(self) -> None:
        for zone, day in (("Pacific/Kiritimati", 1), ("Etc/UTC", 0), ("Pacific/Niue", -1)):
            there = on(ACME, SettingsChanged(time_zone=zone))
            at = datetime(2026, 3, 1, 10, 30, tzinfo=UTC)
            expected = spent(day=date(2026, 3, 1) + timedelta(days=day), at=at)
            given(*HERE, there).when(log(day=None), now=at).then(expected)

    def test_it_is_no_day_too_early_or_too_late(self) -> None:
        for days in (-365, 0, 1):
            day = TODAY + timedelta(days=days)
            given(*HERE).when(log(day=day)).then(spent(day=day))
        latest = TODAY + timedelta(days=1)
        for day in (date(1999, 12, 31), TODAY + timedelta(days=2)):
            asked = given(*HERE).when(log(day=day))
            asked.then_refused(DayOutOfRange, earliest=worklog.FIRST_DAY, latest=latest)

    def test_who_manages_time_logs_that_of_members_who_see_the_project(self) -> None:
        for by in (ANA, BEN):
            given(*HERE).when(log(user_id=CLEO), by=by).then(spent(CLEO, created_by=by))
        given(*HERE).when(log(user_id=CLEO), by=CLEO).then(spent(CLEO))
        given(*HERE).when(log(user_id=BEN), by=CLEO).then_refused(NotPermitted)
        private = on(
            ENG,
            ProjectVisibilityChanged(from_=Visibility.ORGANIZATION, to=Visibility.PRIVATE),
        )
        given(*HERE, private).when(log(user_id=CLEO)).then_refused(CannotSeeProject, user_id=CLEO)

    @pytest.mark.parametrize("who", [DAN, UserId(ENG)])
    def test_nobody_else_spends_time(self, who: UserId) -> None:
        given(*HERE, *STRANGERS).when(log(user_id=who)).then_refused(NotFound, user_id=who)
        left = on(ACME, MemberDeactivated(user_id=CLEO))
        given(*HERE, left).when(log(user_id=CLEO)).then_refused(NotFound, user_id=CLEO)

    def test_logging_again_records_nothing(self) -> None:
        given(*LOGGED).when(log(minutes=5), by=CLEO).then()

    def test_time_is_logged_while_the_project_is_on_hold_but_not_once_it_is_archived(self) -> None:
        given(*HERE, on(ENG, ProjectPutOnHold())).when(log()).then(spent())
        given(*HERE, ARCHIVED).when(log()).then_refused(ProjectIsArchived)

    def test_none_is_logged_on_what_is_not_here(self) -> None:
        for past in (on(TASK, TaskDeleted()), on(ENG, ProjectDeleted())):
            given(*HERE, past).when(log()).then_refused(NotFound)
        given(*HERE, *STRANGERS).when(log(task_id=FOREIGN_TASK)).then_refused(NotFound)

    def test_a_task_has_only_so_many_entries(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("commands.content_counts.WORKLOGS_MAX", 1)

        given(*LOGGED).when(log(worklog_id=MORE)).then_refused(TooManyWorklogs)
        given(*LOGGED, GONE).when(log(worklog_id=MORE)).then(on(MORE, spent()))
        other = on(MORE, spent())
        given(*LOGGED, GONE, other).when(RESTORE, by=CLEO).then_refused(TooManyWorklogs)


def test_a_purged_task_takes_its_entries_along() -> None:
    purged = on(TASK, TaskDeleted(), TaskPurged())
    things = (Thing(TrashKind.WORKLOG, SPENT),)
    purge = PurgeContents(within=Thing(TrashKind.TASK, TASK), things=things)

    given(*LOGGED, purged).when(purge).then(worklog.WorklogPurged(task_id=TASK))


def test_a_task_counts_its_entries_and_their_minutes() -> None:
    steps: list[tuple[Command, tuple[int, int]]] = [
        (log(), (1, 30)),
        (log(worklog_id=MORE, minutes=5), (2, 35)),
        (change(minutes=45), (2, 50)),
        (change(minutes=45, note="Oil"), (2, 50)),
        (DELETE, (1, 5)),
        (RESTORE, (2, 50)),
        (DELETE, (1, 5)),
        (PurgeTrashed(thing=Thing(TrashKind.WORKLOG, SPENT)), (1, 5)),
        (DeleteTask(task_id=TASK), (1, 5)),
        (PurgeTrashed(thing=Thing(TrashKind.TASK, TASK)), (1, 5)),
        (
            PurgeContents(
                within=Thing(TrashKind.TASK, TASK), things=(Thing(TrashKind.WORKLOG, MORE),)
            ),
            (0, 0),
        ),
    ]

    async def run() -> None:
        async with opened(MemoryStore()) as store:
            await record(store, *ACCOUNTS, *HERE)
            handler = CommandHandler(store)
            for command, counted in steps:
                await handler.handle(command, context(ANA))
                keys = worklogs_on(ACME, TASK), minutes_spent_on(ACME, TASK)
                assert tuple(await store.counted(*keys)) == counted, command
            assert [str(found) async for found in lint_log(store)] == []

    asyncio.run(run())


class TestChangeWorklog:
    def test_each_field_changes_alone(self) -> None:
        for about in (
            {"minutes": 45, "by": 15},
            {"day": SPENT_ON + timedelta(days=1)},
            {"note": "Oil"},
            {"note": None},
        ):
            asked = {name: value for name, value in about.items() if name != "by"}
            given(*LOGGED).when(change(**asked), by=CLEO).then(changed(**about))

    def test_what_it_has_already_records_nothing(self) -> None:
        given(*LOGGED).when(change(minutes=30, day=SPENT_ON, note="Oiled"), by=CLEO).then()
        given(*LOGGED).when(change(), by=CLEO).then()

    def test_a_new_day_must_be_one_for_which_time_is_logged(self) -> None:
        late = change(day=TODAY + timedelta(days=2))
        given(*LOGGED).when(late, by=CLEO).then_refused(DayOutOfRange)
        old = on(SPENT, spent(CLEO, day=TODAY + timedelta(days=9)))  # that of another rule
        kept = change(minutes=45, day=TODAY + timedelta(days=9))
        after = changed(minutes=45, by=15, day=TODAY + timedelta(days=9))
        given(*HERE, old).when(kept, by=CLEO).then(after)

    def test_members_change_only_their_own(self) -> None:
        for by in (ANA, BEN, CLEO):
            given(*LOGGED).when(change(note="Oil"), by=by).then(changed(note="Oil"))
        others = (*HERE, on(SPENT, spent(BEN, created_by=CLEO)))
        given(*others).when(change(note="Oil"), by=CLEO).then_refused(NotPermitted)
        given(*others).when(DELETE, by=CLEO).then_refused(NotPermitted)


class TestTrash:
    def test_whose_time_it_is_deletes_and_restores_it(self) -> None:
        deleted = WorklogDeleted(
            task_id=TASK, minutes=30, deleted_by=CLEO, project_id=ENG, owner=CLEO
        )
        given(*LOGGED).when(DELETE, by=CLEO).then(deleted)
        restored = WorklogRestored(task_id=TASK, minutes=30)
        given(*LOGGED, GONE).when(RESTORE, by=CLEO).then(restored)

    def test_what_somebody_else_deleted_only_they_and_managers_restore(self) -> None:
        by_ana = on(SPENT, WorklogDeleted(task_id=TASK, minutes=30, deleted_by=ANA))
        given(*LOGGED, by_ana).when(RESTORE, by=CLEO).then_refused(NotPermitted)
        restored = WorklogRestored(task_id=TASK, minutes=30)
        given(*LOGGED, by_ana).when(RESTORE, by=BEN).then(restored)

    def test_it_comes_back_only_to_a_task_that_is_here(self) -> None:
        for past in (on(TASK, TaskDeleted()), on(ENG, ProjectDeleted())):
            given(*LOGGED, GONE, past).when(RESTORE, by=CLEO).then_refused(ParentInTrash)

    @pytest.mark.parametrize("command", [change(minutes=5), DELETE, RESTORE])
    def test_nothing_happens_in_an_archived_project_or_from_another_task(
        self, command: Command
    ) -> None:
        past = (*LOGGED, GONE) if command is RESTORE else LOGGED
        given(*past, ARCHIVED).when(command, by=CLEO).then_refused(ProjectIsArchived)
        given(*HERE, on(CHILD, task(2)), on(SPENT, spent(CLEO, task_id=CHILD))).when(
            command
        ).then_refused(NotFound)

    def test_what_is_in_the_trash_is_not_changed(self) -> None:
        given(*LOGGED, GONE).when(change(minutes=5), by=CLEO).then_refused(NotFound)
        given(*LOGGED, GONE).when(DELETE, by=CLEO).then_refused(NotFound)
