"""Stories of the command that gives a project a workflow of its own."""

import asyncio
from uuid import UUID

import pytest
from msgspec.structs import replace

from commands.base import ChangedSince, NotPermitted
from commands.handler import CommandHandler
from commands.lint.walk import lint_log
from commands.plan_counts import tasks_in
from commands.work.project import CreateProject
from commands.work.task import ChangeTaskStatus
from commands.work.task_create import CreateTask
from commands.work.trash.task import RestoreTask
from commands.work.workflow import DefineWorkflow
from domain.base import DomainError, TaskId, UserId
from domain.identity.organization.events import PlanChanged
from domain.identity.plan import Plan, PlanLimitReached
from domain.work.project.errors import ProjectIsArchived, ProjectOnHold
from domain.work.project.events import ProjectArchived, ProjectPutOnHold
from domain.work.task.events import (
    TaskDeleted,
    TaskRestored,
    TaskStatus,
    TaskStatusChanged,
)
from domain.work.task.trash_events import TasksInStatus
from domain.work.workflow.errors import StatusInUse, UnknownStatus
from domain.work.workflow.events import Guard, Preset, StatusGroup, StatusRule, WorkflowDefined
from domain.work.workflow.state import FREE
from eventstore.memory import MemoryStore
from tests.commands.acme import ACCOUNTS, CHILD, CREATED, OPENED, PROJECT, TEAM, task, went
from tests.domain.spec import ACME, ANA, BEN, CLEO, ENG, NOW, TASK
from tests.domain.work.test_workflow import BUILD, IDEA, LINE, LIVE, OWN, step
from tests.spec import context, given, on, opened, record

PAYS = on(ACME, PlanChanged(from_=Plan.FREE, to=Plan.BASIC))
OURS = DefineWorkflow(project_id=ENG, statuses=OWN.statuses, transitions=LINE)
MOVING = replace(OURS, moved={"TODO": "IDEA"})
FREELY = DefineWorkflow(project_id=ENG, statuses=FREE.statuses, transitions=FREE.transitions)
FEWER = DefineWorkflow(
    project_id=ENG,
    statuses=(IDEA, BUILD, LIVE),
    transitions=(step("IDEA", "BUILD"), step("BUILD", "LIVE")),
)


def event(version: int, asked: DefineWorkflow) -> WorkflowDefined:
    """Return the event by which *asked* gives a project that version of its workflow."""
    rules = (StatusRule(key=s.key, group=s.group, wip_limit=s.wip_limit) for s in asked.statuses)
    return WorkflowDefined(
        version=version,
        statuses=tuple(rules),
        names="\n".join(one.name for one in asked.statuses),
        transitions=asked.transitions,
        moved=asked.moved,
    )


BY_OURS = on(ENG, event(2, OURS))
STARTED = (TEAM, PAYS, PROJECT, BY_OURS)
THERE = replace(CREATED, status="TEST", group=StatusGroup.IN_REVIEW)
CREATED_IDEA = replace(CREATED, status="IDEA")


class TestDefineWorkflow:
    @pytest.mark.parametrize("by", [ANA, BEN], ids=["admin", "manager"])
    def test_a_project_gets_a_workflow_of_its_own(self, by: UserId) -> None:
        given(TEAM, PAYS, PROJECT).when(OURS, by=by).then(BY_OURS)

    def test_members_cannot_define_one(self) -> None:
        given(TEAM, PAYS, PROJECT).when(OURS, by=CLEO).then_refused(NotPermitted)

    def test_the_free_plan_has_only_the_presets(self) -> None:
        given(TEAM, PROJECT).when(OURS).then_refused(PlanLimitReached)
        given(TEAM, PROJECT).when(FREELY).then(on(ENG, event(2, FREELY)))

    def test_an_archived_project_keeps_its_workflow(self) -> None:
        archived = on(ENG, ProjectArchived())
        given(TEAM, PAYS, PROJECT, archived).when(OURS).then_refused(ProjectIsArchived)

    def test_the_same_workflow_records_nothing_even_in_a_smaller_plan(self) -> None:
        smaller = on(ACME, PlanChanged(from_=Plan.BASIC, to=Plan.FREE))
        given(*STARTED, smaller).when(OURS).then()

    def test_a_status_that_tasks_have_is_not_removed_unless_it_moves(self) -> None:
        given(*STARTED, on(TASK, THERE)).when(FEWER).then_refused(StatusInUse, key="TEST", tasks=1)
        given(*STARTED, on(TASK, THERE), on(TASK, TaskDeleted())).when(FEWER).then(
            on(ENG, event(3, FEWER))
        )
        moving = replace(FEWER, moved={"TEST": "BUILD"})
        given(*STARTED, on(TASK, THERE)).when(moving).then(on(ENG, event(3, moving)))

    def test_a_status_that_tasks_moved_to_is_in_use_and_so_is_the_old_name(self) -> None:
        moved = on(ENG, event(3, replace(FEWER, moved={"TEST": "BUILD"})))
        least = DefineWorkflow(
            project_id=ENG, statuses=(IDEA, LIVE), transitions=(step("IDEA", "LIVE"),)
        )
        here = (*STARTED, on(TASK, THERE), moved)
        given(*here).when(least).then_refused(StatusInUse, key="BUILD", tasks=1)
        given(*here).when(OURS).then_refused(StatusInUse, key="BUILD", tasks=1)

    def test_a_change_is_refused_only_if_the_workflow_changed_since(self) -> None:
        renamed = on(ENG, ProjectPutOnHold())
        given(*STARTED, renamed).when(FEWER, if_match=2).then(on(ENG, event(4, FEWER)))
        given(*STARTED, renamed).when(FEWER, if_match=1).then_refused(ChangedSince)


class TestTasksInAWorkflowOfItsOwn:
    def test_a_task_begins_in_the_first_status_or_in_the_one_asked_for(self) -> None:
        creating = CreateTask(task_id=TASK, project_id=ENG, title="Oil it")
        for asked, key, group in ((None, "IDEA", "TODO"), ("TEST", "TEST", "IN_REVIEW")):
            created = replace(CREATED, status=key, group=StatusGroup(group))
            given(*STARTED).when(replace(creating, status=asked)).then(on(TASK, created))
        given(*STARTED).when(replace(creating, status="TODO")).then_refused(UnknownStatus)

    def test_an_event_names_the_version_that_decided(self) -> None:
        moved = TaskStatusChanged.between(
            StatusRule(key="TEST", group=StatusGroup.IN_REVIEW),
            StatusRule(key="LIVE", group=StatusGroup.DONE),
            workflow_version=2,
            guards=tuple(Guard),
            at=NOW,
        )
        given(*STARTED, on(TASK, THERE)).when(ChangeTaskStatus(task_id=TASK, to="LIVE")).then(moved)

    def test_no_task_is_started_on_hold_whatever_the_status_is_called(self) -> None:
        idea = on(TASK, replace(CREATED, status="IDEA"))
        given(*STARTED, idea, on(ENG, ProjectPutOnHold())).when(
            ChangeTaskStatus(task_id=TASK, to="BUILD")
        ).then_refused(ProjectOnHold)

    def test_a_task_comes_back_from_the_trash_into_a_status_that_is_there(self) -> None:
        gone = on(ENG, event(3, FEWER))
        moved = TaskStatusChanged.between(
            StatusRule(key="TEST", group=StatusGroup.IN_REVIEW),
            StatusRule(key="IDEA", group=StatusGroup.TODO),
            workflow_version=3,
        )
        given(*STARTED, on(TASK, THERE, TaskDeleted()), gone).when(RestoreTask(task_id=TASK)).then(
            TaskRestored(), moved
        )

    def test_what_comes_back_with_it_gets_a_status_that_is_there_too(self) -> None:
        gone = on(ENG, event(3, FEWER))
        below, hides = (CHILD,), (TasksInStatus("TEST", 1),)
        child = on(CHILD, replace(THERE, number=2, parent_id=TASK))
        deleted = TaskDeleted(below=below, hides=hides)
        moved = TaskStatusChanged.between(
            StatusRule(key="TEST", group=StatusGroup.IN_REVIEW),
            StatusRule(key="IDEA", group=StatusGroup.TODO),
            workflow_version=3,
        )
        past = (*STARTED, on(TASK, CREATED_IDEA), child, on(TASK, deleted), gone)
        given(*past).when(RestoreTask(task_id=TASK, below=below)).then(
            on(TASK, TaskRestored(below=below, hides=hides)), on(CHILD, moved)
        )

    def test_a_new_project_has_the_preset_asked_for(self) -> None:
        asked = CreateProject(project_id=ENG, key="ENG", name="Engine", preset=Preset.FREE)
        given(TEAM).when(asked).then(on(ENG, replace(OPENED, workflow=Preset.FREE)))
        here = (TEAM, on(ENG, replace(OPENED, workflow=Preset.FREE)), on(TASK, CREATED))
        [jump] = went(TaskStatus.DONE)
        given(*here).when(ChangeTaskStatus(task_id=TASK, to="DONE")).then(replace(jump, guards=()))


async def test_a_status_is_not_removed_while_a_task_goes_into_it() -> None:
    async with opened(MemoryStore()) as log:
        tasks = [TaskId(UUID(int=900 + number)) for number in range(8)]
        await record(log, *ACCOUNTS, *STARTED)
        for number, each in enumerate(tasks, 1):
            built = replace(task(number), status="BUILD", group=StatusGroup.IN_PROGRESS)
            await record(log, on(each, built))
        here, there = CommandHandler(log), CommandHandler(log)
        moving = [ChangeTaskStatus(task_id=each, to="TEST") for each in tasks]

        *_, removal = await asyncio.gather(
            *(here.handle(command, context()) for command in moving[:4]),
            there.handle(FEWER, context()),
            *(here.handle(command, context()) for command in moving[4:]),
            there.handle(FEWER, context()),
            return_exceptions=True,
        )

        [in_test] = await log.counted(tasks_in(ACME, ENG, "TEST"))
        assert isinstance(removal, DomainError) is (in_test > 0)
        assert [finding async for finding in lint_log(log)] == []
