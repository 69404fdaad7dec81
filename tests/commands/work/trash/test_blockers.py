"""A blocker in a deleted project blocks nothing, and does again once the project is restored."""

import asyncio

from commands.handler import CommandHandler
from commands.lint.walk import lint_log
from commands.work.project import DeleteProject, RestoreProject
from commands.work.task import ChangeTaskStatus
from commands.work.trash.purge import PurgeContents, PurgeTrashed
from commands.work.trash.things import Thing
from domain.base import DomainError
from domain.work.project.events import ProjectCreated, ProjectDeleted, ProjectRestored
from domain.work.relation import RelationAdded, RelationKind, graph_of
from domain.work.task.errors import BlockersOpen
from domain.work.task.events import TaskDeleted, TaskStatus, TaskStatusChanged
from domain.work.trash import TrashKind
from domain.work.workflow.events import Guard
from eventstore.log import EventLog
from tests.commands.acme import ACCOUNTS, CHILD, HERE, OPS, task, went
from tests.commands.work.test_task_tree import NODES
from tests.domain.spec import ACME, ANA, NOW, TASK
from tests.spec import context, given, on, record

BLOCKERS = on(
    graph_of(ACME),
    RelationAdded(kind=RelationKind.BLOCKS, from_=CHILD, to=TASK, open=True),
)
MORE = on(
    graph_of(ACME),
    RelationAdded(kind=RelationKind.BLOCKS, from_=NODES[3], to=TASK, open=True),
)
ELSEWHERE = (
    on(OPS, ProjectCreated(key="OPS", name="Ops", created_by=ANA)),
    on(CHILD, task(1, project=OPS, key="OPS")),
    BLOCKERS,
    on(TASK, *went(TaskStatus.IN_PROGRESS)),
)
"""A task that another one blocks, in a project of its own."""
GONE = on(OPS, ProjectDeleted())
DONE = ChangeTaskStatus(task_id=TASK, to=TaskStatus.DONE)


def hidden_in(when: object) -> list[int]:
    recorded = getattr(when, "recorded")  # noqa: B009 - of any outcome
    return [e.hidden_blockers for _, (e,), _ in recorded if isinstance(e, TaskStatusChanged)]


class TestHiddenBlockers:
    def test_a_blocker_in_a_deleted_project_does_not_block(self) -> None:
        given(*HERE, *ELSEWHERE).when(DONE).then_refused(BlockersOpen, open=1)
        done = given(*HERE, *ELSEWHERE, GONE).when(DONE)
        assert done.refused is None
        assert hidden_in(done) == [1]
        back = on(OPS, ProjectRestored())
        given(*HERE, *ELSEWHERE, GONE, back).when(DONE).then_refused(BlockersOpen, open=1)

    def test_one_in_the_trash_by_itself_is_not_counted_twice(self) -> None:
        deleted = on(CHILD, TaskDeleted(at=NOW, blocking=(TASK,)))
        done = given(*HERE, *ELSEWHERE, deleted, GONE).when(DONE)
        assert hidden_in(done) == [0]

    def test_another_one_blocks_all_the_same(self) -> None:
        other = (on(NODES[3], task(6)), MORE)
        past = (*HERE, *ELSEWHERE, *other, GONE)
        given(*past).when(DONE).then_refused(BlockersOpen, open=1)

    async def test_it_does_not_come_back_by_a_purge_and_the_log_agrees(
        self, log: EventLog, handler: CommandHandler
    ) -> None:
        await record(log, *ACCOUNTS, *ELSEWHERE)
        project = Thing(TrashKind.PROJECT, OPS)
        await handler.handle(DeleteProject(project_id=OPS), context())
        await handler.handle(PurgeTrashed(thing=project), context())
        blocker = (Thing(TrashKind.TASK, CHILD),)
        await handler.handle(PurgeContents(within=project, things=blocker), context())

        done = await handler.handle(DONE, context())

        assert [type(e) for c in done.events for e in c.events] == [TaskStatusChanged]
        assert [str(found) async for found in lint_log(log)] == []

    async def test_a_restoration_and_a_completion_do_not_pass_each_other(
        self, log: EventLog
    ) -> None:
        await record(log, *ACCOUNTS, *ELSEWHERE, GONE)
        ours, theirs = CommandHandler(log), CommandHandler(log)  # of two processes

        outcomes = await asyncio.gather(
            ours.handle(DONE, context()),
            theirs.handle(RestoreProject(project_id=OPS), context()),
            return_exceptions=True,
        )

        refused = [each for each in outcomes if isinstance(each, DomainError)]
        assert [type(each) for each in refused] in ([], [BlockersOpen])
        assert [str(found) async for found in lint_log(log)] == []

    def test_the_guard_is_the_one_that_was_asked(self) -> None:
        done = given(*HERE, *ELSEWHERE, GONE).when(DONE)
        [event] = [e for _, (e,), _ in done.recorded if isinstance(e, TaskStatusChanged)]
        assert Guard.NO_OPEN_BLOCKER in event.guards
