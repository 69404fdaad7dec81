"""Stories of the command that moves a task with its subtasks to another project."""

import asyncio
from uuid import UUID

import pytest
from msgspec.structs import replace

from commands.handler import CommandHandler
from commands.lint.walk import lint_log
from commands.plan_counts import tasks_in
from commands.relation_counts import children, open_subtasks, subtasks
from commands.reservations import task_number_claim
from commands.work.task_create import CreateTask
from commands.work.task_move import SUBTREE_MAX, MoveTask
from domain.base import DomainError, LabelId, NotFound, ProjectId, TaskId
from domain.work.label import LabelCreated
from domain.work.project.errors import ProjectIsArchived, ProjectOnHold
from domain.work.project.events import (
    ProjectArchived,
    ProjectCreated,
    ProjectDeleted,
    ProjectKeyChanged,
    ProjectPutOnHold,
    ProjectVisibilityChanged,
    Visibility,
)
from domain.work.task.errors import (
    SubtasksChanged,
    SubtasksOpen,
    SubtreeTooLarge,
    TransitionNotAllowed,
)
from domain.work.task.events import (
    TaskAssigned,
    TaskDeleted,
    TaskLabelled,
    TaskMoved,
    TaskReparented,
    TaskStatusChanged,
    TaskUnassigned,
    TaskUnlabelled,
    TaskUnwatched,
)
from domain.work.task.state import Task
from domain.work.workflow.errors import UnknownStatus
from domain.work.workflow.events import Preset, StatusGroup
from eventstore.memory import MemoryStore
from tests.commands.acme import (
    ACCOUNTS,
    CHILD,
    FOREIGN_PROJECT,
    HERE,
    OPS,
    PROJECT,
    STRANGERS,
    TEAM,
    task,
)
from tests.commands.work.test_workflow import BY_OURS, OURS, PAYS, THERE, event
from tests.domain.spec import ACME, ANA, CLEO, ENG, NOW, TASK, stepped
from tests.spec import context, given, on, opened, record

OTHER = on(OPS, ProjectCreated(key="OPS", name="Other", created_by=ANA))
GRANDCHILD = TaskId(UUID(int=41))
BELOW = (on(CHILD, task(2, parent=TASK)), on(GRANDCHILD, task(3, parent=CHILD)))
BOTH = (*HERE, OTHER)
ORGANIZATION = Visibility.ORGANIZATION
BUG, LOCAL = LabelId(UUID(int=71)), LabelId(UUID(int=72))


def moved(number: int, old: int, parent: TaskId | None = None, to: ProjectId = OPS) -> TaskMoved:
    return TaskMoved(
        from_project_id=ENG,
        from_key=f"ENG-{old}",
        project_id=to,
        project_key="OPS",
        number=number,
        status="TODO",
        group=StatusGroup.TODO,
        parent_id=parent,
    )


def move(*below: TaskId, to: ProjectId = OPS, who: TaskId = TASK) -> MoveTask:
    return MoveTask(task_id=who, project_id=to, below=below)


class TestMoveTask:
    def test_a_task_gets_the_next_key_of_the_other_project(self) -> None:
        there = on(TaskId(UUID(int=42)), task(1, project=OPS, key="OPS"))
        given(*BOTH).when(move()).then(on(TASK, moved(1, 1)))
        given(*BOTH, there).when(move()).then(on(TASK, moved(2, 1)))

    def test_its_subtasks_come_along_also_from_the_trash(self) -> None:
        gone = on(GRANDCHILD, TaskDeleted())
        given(*BOTH, *BELOW, gone).when(move(GRANDCHILD, CHILD)).then(
            on(TASK, moved(1, 1)),
            on(CHILD, moved(2, 2, TASK)),
            on(GRANDCHILD, moved(3, 3, CHILD)),
        )

    def test_a_subtask_that_moves_away_leaves_its_parent(self) -> None:
        given(*BOTH, *BELOW).when(move(GRANDCHILD, who=CHILD)).then(
            on(CHILD, moved(1, 2)), on(GRANDCHILD, moved(2, 3, CHILD))
        )

    def test_its_subtasks_can_stay_and_get_its_parent(self) -> None:
        gone = on(GRANDCHILD, TaskDeleted())
        stays = MoveTask(task_id=CHILD, project_id=OPS, with_subtasks=False, below=(GRANDCHILD,))
        given(*BOTH, *BELOW, gone).when(stays).then(
            on(GRANDCHILD, TaskReparented(from_=CHILD, to=TASK)), on(CHILD, moved(1, 2))
        )
        top = MoveTask(task_id=TASK, project_id=OPS, with_subtasks=False, below=(CHILD, GRANDCHILD))
        given(*BOTH, *BELOW).when(top).then(
            on(CHILD, TaskReparented(from_=TASK, to=None)), on(TASK, moved(1, 1))
        )

    @pytest.mark.parametrize("below", [(), (GRANDCHILD,)])
    def test_a_subtask_that_lists_do_not_show_yet_does_not_stay_without_parent(
        self, below: tuple[TaskId, ...]
    ) -> None:
        stays = MoveTask(task_id=TASK, project_id=OPS, with_subtasks=False, below=below)
        given(*BOTH, *BELOW).when(stays).then_refused(SubtasksChanged)

    def test_it_can_get_a_status_by_the_rules_of_the_other_workflow(self) -> None:
        def to(key: str, *, with_subtasks: bool = True) -> MoveTask:
            return MoveTask(
                task_id=TASK,
                project_id=OPS,
                status=key,
                with_subtasks=with_subtasks,
                below=(CHILD, GRANDCHILD),
            )

        begun = TaskStatusChanged(from_="TODO", to="IN_PROGRESS", at=NOW)
        given(*BOTH).when(MoveTask(task_id=TASK, project_id=OPS, status="IN_PROGRESS")).then(
            moved(1, 1), begun
        )
        given(*BOTH, *BELOW).when(to("DONE")).then_refused(TransitionNotAllowed)
        given(*BOTH, *BELOW).when(to("SHIPPED")).then_refused(UnknownStatus)
        free = on(
            OPS, ProjectCreated(key="OPS", name="Other", workflow=Preset.FREE, created_by=ANA)
        )
        working = on(TASK, begun)
        given(*HERE, OTHER, *BELOW, working).when(to("DONE")).then_refused(SubtasksOpen, open=1)
        story = given(*HERE, OTHER, *BELOW, working).when(to("DONE", with_subtasks=False))
        assert story.refused is None
        assert given(*HERE, free, *BELOW).when(to("DONE")).refused is None

    def test_the_status_is_changed_from_the_one_in_which_it_arrives(self) -> None:
        past = (TEAM, PROJECT, OTHER, BY_OURS, on(TASK, THERE))
        asked = MoveTask(task_id=TASK, project_id=OPS, status="DONE")
        arrived = replace(moved(1, 1), status="IN_REVIEW", group=StatusGroup.IN_REVIEW)
        given(*past).when(asked).then(arrived, stepped("IN_REVIEW", "DONE", at=NOW))

    def test_the_old_key_is_the_one_that_its_project_had_last(self) -> None:
        renamed = on(ENG, ProjectKeyChanged(from_="ENG", to="DEV"))
        given(*BOTH, renamed).when(move()).then(on(TASK, replace(moved(1, 1), from_key="DEV-1")))

    def test_labels_of_its_old_project_stay_behind(self) -> None:
        labels = (
            on(BUG, LabelCreated(name="Bug", color="#ff0000", created_by=ANA, created_at=NOW)),
            on(
                LOCAL,
                LabelCreated(
                    name="Bug", color="#ff0000", project_id=ENG, created_by=ANA, created_at=NOW
                ),
            ),
        )
        labelled = on(TASK, TaskLabelled(label_id=BUG), TaskLabelled(label_id=LOCAL))
        given(*BOTH, *labels, labelled).when(move()).then(
            moved(1, 1), TaskUnlabelled(label_id=LOCAL)
        )

    def test_whoever_does_not_see_the_other_project_leaves_the_task(self) -> None:
        private = on(OPS, ProjectVisibilityChanged(from_=ORGANIZATION, to=Visibility.PRIVATE))
        people = on(TASK, TaskAssigned(user_id=CLEO), TaskAssigned(user_id=ANA))
        given(*BOTH, private, people).when(move()).then(
            moved(1, 1), TaskUnassigned(user_id=CLEO), TaskUnwatched(user_id=CLEO)
        )
        given(*BOTH, private).when(move(), by=CLEO).then_refused(NotFound)

    def test_a_task_that_is_there_stays(self) -> None:
        given(*BOTH, *BELOW).when(move(to=ENG)).then()

    @pytest.mark.parametrize("below", [(), (CHILD,), (CHILD, GRANDCHILD, OPS)])
    def test_subtasks_that_lists_show_wrongly_are_noticed(self, below: tuple[TaskId, ...]) -> None:
        story = given(*BOTH, *BELOW).when(move(*below))
        assert type(story.refused) in (SubtasksChanged, NotFound)

    def test_both_projects_must_allow_it(self) -> None:
        given(*BOTH, on(ENG, ProjectArchived())).when(move()).then_refused(ProjectIsArchived)
        given(*BOTH, on(OPS, ProjectArchived())).when(move()).then_refused(ProjectIsArchived)
        given(*BOTH, on(OPS, ProjectPutOnHold())).when(move()).then_refused(ProjectOnHold)
        given(*BOTH, on(OPS, ProjectDeleted())).when(move()).then_refused(NotFound)
        given(*BOTH, *STRANGERS).when(move(to=FOREIGN_PROJECT)).then_refused(NotFound)
        given(*BOTH, on(ENG, ProjectPutOnHold())).when(move()).then(moved(1, 1))

    def test_at_most_two_hundred_tasks_move_at_once(self) -> None:
        many = [TaskId(UUID(int=1_000 + n)) for n in range(SUBTREE_MAX)]
        there = [on(each, task(2 + n, parent=TASK)) for n, each in enumerate(many)]
        given(*BOTH, *there).when(move(*many)).then_refused(SubtreeTooLarge, limit=200)
        story = given(*BOTH, *there[1:]).when(move(*many[1:]))
        assert len(story.recorded) == SUBTREE_MAX


async def test_counts_and_keys_move_along_and_old_keys_lead_there() -> None:
    async with opened(MemoryStore()) as log:
        await record(log, *ACCOUNTS, *BOTH, *BELOW)
        await CommandHandler(log).handle(move(GRANDCHILD, who=CHILD), context())

        todo = [tasks_in(ACME, project, "TODO") for project in (ENG, OPS)]
        assert await log.counted(*todo) == [1, 2]
        above = [key(ACME, TASK) for key in (open_subtasks, subtasks, children)]
        assert await log.counted(*above) == [0, 0, 0]
        kept = [key(ACME, CHILD) for key in (open_subtasks, subtasks, children)]
        assert await log.counted(*kept) == [1, 1, 1]
        for project, number in ((ENG, 2), (OPS, 1)):
            assert await log.holder(task_number_claim(ACME, project, number)) == CHILD
        assert [finding async for finding in lint_log(log)] == []


async def test_a_subtask_in_the_trash_moves_or_stays_by_the_rules_of_the_log() -> None:
    gone = on(GRANDCHILD, TaskDeleted())
    async with opened(MemoryStore()) as log:
        await record(log, *ACCOUNTS, *BOTH, *BELOW, gone)
        handler = CommandHandler(log)
        await handler.handle(move(CHILD, GRANDCHILD), context())
        stays = MoveTask(task_id=CHILD, project_id=ENG, with_subtasks=False, below=(GRANDCHILD,))
        await handler.handle(stays, context())

        counted = [key(ACME, TASK) for key in (open_subtasks, subtasks, children)]
        assert await log.counted(*counted) == [0, 0, 1]
        assert [finding async for finding in lint_log(log)] == []


@pytest.mark.parametrize("seed", range(4))
async def test_no_subtask_is_left_behind_however_commands_meet(seed: int) -> None:
    async with opened(MemoryStore()) as log:
        await record(log, *ACCOUNTS, *BOTH)
        handlers = [CommandHandler(log), CommandHandler(log)]
        new = [TaskId(UUID(int=700 + n)) for n in range(6)]

        async def create(n: int) -> None:
            asked = CreateTask(task_id=new[n], project_id=ENG, title="Oil it", parent_id=TASK)
            for _ in range(n + seed):
                await asyncio.sleep(0)
            try:
                await handlers[n % 2].handle(asked, context())
            except NotFound:
                new[n] = TASK

        async def moving() -> None:
            for _ in range(20):
                known = tuple(each for each in new if handlers[0].states.cache.get(each))
                try:
                    await handlers[0].handle(move(*known), context())
                except DomainError:
                    await asyncio.sleep(0)
                else:
                    return

        await asyncio.gather(moving(), *(create(n) for n in range(6)))

        states = handlers[1].states
        projects = {(await states.fresh(Task, each, ACME)).project_id for each in (TASK, *new)}
        assert len(projects) == 1
        assert [finding async for finding in lint_log(log)] == []


def test_a_task_goes_along_in_the_status_that_it_has_now() -> None:
    """Not in the one that it was last put into, which its project has no more."""
    led = on(ENG, event(2, replace(OURS, moved={"TODO": "BUILD"})))
    there = replace(moved(1, 1), status="IN_PROGRESS", group=StatusGroup.IN_PROGRESS)

    given(*BOTH, PAYS, led).when(MoveTask(task_id=TASK, project_id=OPS)).then(there)
