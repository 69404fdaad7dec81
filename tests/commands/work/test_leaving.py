"""Stories of the tasks of somebody who left."""

import asyncio
from uuid import UUID

import pytest

from commands.handler import CommandHandler
from commands.identity.organization import RemoveMember
from commands.lint.walk import lint_log
from commands.work.leaving import UnassignFormerMember
from commands.work.project import ArchiveProject, EditProject
from commands.work.task import AssignTask
from commands.work.trash.task import DeleteTask, RestoreTask
from domain.base import NotFound, TaskId
from domain.identity.organization.membership import (
    LeaveCause,
    MemberDeactivated,
    MemberJoined,
    MemberLeft,
    Role,
)
from domain.identity.organization.state import Organization
from domain.work.project.events import ProjectArchived, ProjectDeleted, Visibility
from domain.work.task.events import (
    TaskAssigned,
    TaskDeleted,
    TaskRestored,
    TaskStatus,
    TaskUnassigned,
)
from domain.work.task.state import Task
from domain.work.task.trash_events import TaskPurged, TasksInStatus
from eventstore.log import EventLog
from tests.commands.acme import ACCOUNTS, CHILD, HERE, task, went
from tests.domain.spec import ACME, ANA, BEN, CLEO, DAN, ENG, NOW, TASK, stepped
from tests.spec import Past, context, given, on, record

ASSIGNED = on(TASK, TaskAssigned(user_id=BEN), TaskAssigned(user_id=CLEO))
LEFT = on(ACME, MemberLeft(user_id=BEN, cause=LeaveCause.REMOVED))
BACK = MemberJoined(user_id=BEN, role=Role.MANAGER)
FINISHED = TaskId(UUID(int=33))
unassign = UnassignFormerMember(task_id=TASK, user_id=BEN)


class TestUnassignFormerMember:
    def test_whoever_left_is_unassigned_and_nobody_else(self) -> None:
        given(*HERE, ASSIGNED, LEFT).when(unassign, by=DAN).then(TaskUnassigned(user_id=BEN))

    def test_a_second_time_records_nothing(self) -> None:
        given(*HERE, ASSIGNED, LEFT, on(TASK, TaskUnassigned(user_id=BEN))).when(unassign).then()

    def test_whoever_came_back_or_is_suspended_stays_assigned(self) -> None:
        back = on(ACME, MemberJoined(user_id=BEN, role=Role.MEMBER))
        given(*HERE, ASSIGNED, LEFT, back).when(unassign).then()
        given(*HERE, ASSIGNED, on(ACME, MemberDeactivated(user_id=BEN))).when(unassign).then()

    def test_a_finished_task_keeps_who_did_it(self) -> None:
        begun = stepped(TaskStatus.TODO, TaskStatus.IN_PROGRESS)
        done = stepped(TaskStatus.IN_PROGRESS, TaskStatus.DONE)
        given(*HERE, ASSIGNED, LEFT, on(TASK, begun, done)).when(unassign).then()

    @pytest.mark.parametrize("gone", [on(TASK, TaskDeleted()), on(ENG, ProjectDeleted())])
    def test_the_trash_lets_go_of_them_as_well(self, gone: Past) -> None:
        given(*HERE, ASSIGNED, LEFT, gone).when(unassign).then(TaskUnassigned(user_id=BEN))
        below = on(CHILD, task(6, parent=TASK), TaskAssigned(user_id=BEN))
        asked = UnassignFormerMember(task_id=CHILD, user_id=BEN)
        given(*HERE, below, LEFT, gone).when(asked).then(on(CHILD, TaskUnassigned(user_id=BEN)))

    def test_an_archived_project_lets_go_of_them_as_well(self) -> None:
        archived = on(ENG, ProjectArchived())
        given(*HERE, ASSIGNED, LEFT, archived).when(unassign).then(TaskUnassigned(user_id=BEN))

    def test_what_is_purged_stays_as_it_is(self) -> None:
        purged = on(TASK, TaskDeleted(), TaskPurged())
        given(*HERE, ASSIGNED, LEFT, purged).when(unassign).then_refused(NotFound)


class TestRestore:
    def test_a_restored_task_names_nobody_who_left(self) -> None:
        gone = on(TASK, TaskDeleted(at=NOW, project_id=ENG, owner=ANA))
        restored = (TaskRestored(), TaskUnassigned(user_id=BEN))
        given(*HERE, ASSIGNED, gone, LEFT).when(RestoreTask(task_id=TASK)).then(*restored)
        given(*HERE, ASSIGNED, gone).when(RestoreTask(task_id=TASK)).then(TaskRestored())

    def test_nor_does_what_comes_back_with_it_unless_it_is_finished(self) -> None:
        below = [
            on(each, task(number, parent=TASK), TaskAssigned(user_id=BEN))
            for number, each in enumerate((CHILD, FINISHED), 6)
        ]
        done = on(FINISHED, *went(TaskStatus.IN_PROGRESS, TaskStatus.DONE))
        hides = (TasksInStatus("DONE", 1), TasksInStatus("TODO", 1))
        asked = RestoreTask(task_id=TASK, below=(CHILD, FINISHED))
        gone = on(TASK, TaskDeleted(at=NOW, below=(CHILD, FINISHED), hides=hides))
        given(*HERE, *below, done, gone, LEFT).when(asked).then(
            TaskRestored(below=(CHILD, FINISHED), hides=hides),
            on(CHILD, TaskUnassigned(user_id=BEN)),
        )

    async def test_a_task_restored_in_an_archived_project_names_nobody_who_lost_sight_of_it(
        self, log: EventLog, handler: CommandHandler
    ) -> None:
        await record(log, *ACCOUNTS, ASSIGNED)
        for command in (
            DeleteTask(task_id=TASK),
            EditProject(project_id=ENG, visibility=Visibility.PRIVATE),
            ArchiveProject(project_id=ENG),
            RestoreTask(task_id=TASK),
        ):
            await handler.handle(command, context())

        task = await handler.states.fresh(Task, TASK, ACME)
        assert (task.deleted, task.assignees) == (False, ())
        assert [str(found) async for found in lint_log(log)] == []

    async def test_whichever_of_a_restoration_and_a_leaving_comes_first_nobody_is_left(
        self, log: EventLog, handler: CommandHandler, elsewhere: CommandHandler
    ) -> None:
        for first in (0, 1):
            await record(log, *(ACCOUNTS if first == 0 else (on(ACME, BACK),)))
            await handler.handle(AssignTask(task_id=TASK, user_id=BEN), context())
            await handler.handle(DeleteTask(task_id=TASK), context())
            for each in (handler, elsewhere):  # both remember Ben as a member, and the task
                await each.states.fresh(Organization, ACME, ACME)
                await each.states.fresh(Task, TASK, ACME)
            leave = handler.handle(RemoveMember(organization_id=ACME, user_id=BEN), context())
            restore = elsewhere.handle(RestoreTask(task_id=TASK), context())

            await asyncio.gather(*((leave, restore) if first == 0 else (restore, leave)))
            await handler.handle(unassign, context())

            assert (await handler.states.fresh(Task, TASK, ACME)).assignees == ()
        assert [str(found) async for found in lint_log(log)] == []
