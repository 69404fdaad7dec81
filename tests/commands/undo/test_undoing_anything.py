"""Whatever people do under one correlation id, an undo brings back what was there before.

Each difference that is left is among the conflicts of the undo, or tells what happened.
"""

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID, uuid4

from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st
from msgspec.structs import replace

from commands.base import Command
from commands.handler import CommandHandler
from commands.lint.walk import lint_log
from commands.planning.cycle import DeleteCycle, EditCycle
from commands.undo.recall import recall
from commands.undo.undo_changes import UndoChanges
from commands.undo.undoing import Undone
from commands.work.comment import DeleteComment, EditComment, PostComment, ReactToComment
from commands.work.label import DeleteLabel, EditLabel
from commands.work.project import ArchiveProject, EditProject, HoldProject
from commands.work.relation import AddRelation
from commands.work.task import AssignTask, ChangeTaskStatus, EditTask, UnassignTask
from commands.work.task_create import CreateTask
from commands.work.task_label import LabelTask, UnlabelTask
from commands.work.task_move import MoveTask
from commands.work.task_plan import Planned
from commands.work.task_watch import UnwatchTask, WatchTask
from commands.work.trash.task import DeleteTask
from domain.base import CommentId, DomainError, LabelId, TaskId, UserId
from domain.catalog import EVENT_TYPES, state_of
from domain.planning.field import FieldCreated, OptionRule, stream_of_field
from domain.undo import Undo
from domain.work.comment import Comment
from domain.work.label import LabelCreated
from domain.work.project.events import ProjectCreated
from domain.work.relation import DependencyGraph, RelationKind
from domain.work.task.custom_field import FieldType
from domain.work.task.events import Priority, TaskReparented, TaskStatus
from domain.work.task.state import Task
from eventstore.log import EventLog
from eventstore.memory import MemoryStore
from tests.commands.acme import COMMENT, OPS, comment, task
from tests.commands.planning.plans import BETA, ONE, PLANNED
from tests.domain.spec import ACME, ANA, BEN, CLEO, ENG, NOW, TASK
from tests.spec import RUNNER, context, on, opened, record

TASKS = [TASK, *(TaskId(UUID(int=500 + n)) for n in range(4))]
PEOPLE, PROJECTS = [ANA, BEN, CLEO], [ENG, OPS]
LABELS = [LabelId(UUID(int=71)), LabelId(UUID(int=72))]
WORLD = (
    *PLANNED,
    on(OPS, ProjectCreated(key="OPS", name="Other", created_by=ANA)),
    on(LABELS[0], LabelCreated(name="Bug", color="#ff0000", created_by=ANA, created_at=NOW)),
    on(
        LABELS[1],
        LabelCreated(name="Own", color="#ff0000", project_id=ENG, created_by=ANA, created_at=NOW),
    ),
    on(
        stream_of_field(ENG, "size"),
        FieldCreated(
            project_id=ENG,
            key="size",
            name="Size",
            kind=FieldType.SELECT,
            options=(OptionRule(key="s"), OptionRule(key="m")),
            option_names="Small\nMedium",
            created_by=ANA,
            created_at=NOW,
        ),
    ),
    *(on(each, task(number=n)) for n, each in enumerate(TASKS[1:], start=2)),
    on(TASKS[2], TaskReparented(from_=None, to=TASKS[1])),
    on(COMMENT, comment()),
)
tasks, people, projects = st.sampled_from(TASKS), st.sampled_from(PEOPLE), st.sampled_from(PROJECTS)
labels, days = st.sampled_from(LABELS), st.dates(date(2026, 1, 1), date(2026, 1, 9))


def build(of: Callable[..., Command], **fields: st.SearchStrategy[Any]) -> Any:
    return st.builds(of, **fields)


DOABLE: st.SearchStrategy[Command] = st.one_of(
    build(EditTask, task_id=tasks, title=st.sampled_from(["One", "Two"])),
    build(EditTask, task_id=tasks, description=st.sampled_from([None, "All"])),
    build(EditTask, task_id=tasks, priority=st.sampled_from(Priority), start_date=days),
    build(EditTask, task_id=tasks, start_date=days, due_date=days),
    build(EditTask, task_id=tasks, due_at=st.just(NOW), estimate=st.integers(0, 3)),
    build(EditTask, task_id=tasks, fields=st.sampled_from([{"size": "s"}, {"size": None}])),
    build(EditTask, task_id=tasks, mentions=st.lists(people, unique=True).map(tuple)),
    build(EditTask, task_id=tasks, parent_id=st.one_of(st.none(), tasks)),
    build(
        EditTask,
        task_id=tasks,
        planned=st.sampled_from([Planned(cycle_id=ONE), Planned(milestone_id=BETA)]),
    ),
    build(ChangeTaskStatus, task_id=tasks, to=st.sampled_from(TaskStatus)),
    build(AssignTask, task_id=tasks, user_id=people),
    build(UnassignTask, task_id=tasks, user_id=people),
    build(WatchTask, task_id=tasks, user_id=people),
    build(UnwatchTask, task_id=tasks, user_id=people),
    build(LabelTask, task_id=tasks, label_id=labels),
    build(UnlabelTask, task_id=tasks, label_id=labels),
    build(MoveTask, task_id=tasks, project_id=projects, with_subtasks=st.booleans()),
    build(DeleteTask, task_id=tasks),
    build(AddRelation, task_id=tasks, kind=st.sampled_from([*RelationKind][:3]), other_id=tasks),
    build(
        CreateTask,
        task_id=st.builds(lambda: TaskId(uuid4())),
        project_id=projects,
        title=st.just("New"),
        labels=st.lists(labels, unique=True).map(tuple),
    ),
    build(
        PostComment,
        comment_id=st.builds(lambda: CommentId(uuid4())),
        task_id=tasks,
        body=st.just("Look"),
    ),
    build(EditComment, task_id=st.just(TASK), comment_id=st.just(COMMENT), body=st.just("Well")),
    build(DeleteComment, task_id=st.just(TASK), comment_id=st.just(COMMENT)),
    build(ReactToComment, task_id=st.just(TASK), comment_id=st.just(COMMENT), emoji=st.just("🎉")),
    build(EditLabel, label_id=labels, name=st.sampled_from(["Bug", "Own", "Third"])),
    build(DeleteLabel, label_id=labels),
    build(EditProject, project_id=projects, name=st.sampled_from(["One", "Two"])),
    build(EditProject, project_id=projects, lead_id=st.one_of(st.none(), people)),
    build(HoldProject, project_id=projects),
    build(ArchiveProject, project_id=projects),
    build(EditCycle, cycle_id=st.just(ONE), name=st.just("Two")),
    build(DeleteCycle, cycle_id=st.just(ONE)),
)


async def whole(log: EventLog) -> dict[UUID, Any]:
    """Return the state of every stream of Acme."""
    found: dict[UUID, Any] = {}
    for each in await log.tail(0, 10_000):
        if each.org_id == ACME:
            kind = state_of(EVENT_TYPES[each.tag])
            found[each.stream_id] = found.get(each.stream_id, kind()).evolve(each.event)
    return found


def seen(state: Any) -> Any:
    """Return a state without what tells only that something happened, in any order."""
    if isinstance(state, DependencyGraph):
        return {each: edges for each, edges in state.edges.items() if edges.size}
    if isinstance(state, Comment):
        return replace(state, edits=0)
    if not isinstance(state, Task):
        return state
    told: dict[str, Any] = {
        "started_at": None,
        "completed_at": None,
        "number": 0,
        "labels": tuple(sorted(state.labels)),
        "assignees": tuple(sorted(state.assignees)),
        "watchers": tuple(sorted(state.watchers)),
    }
    return replace(state, **told)


def below(states: dict[UUID, Any], root: UUID) -> tuple[TaskId, ...]:
    own = [e for e, s in states.items() if isinstance(s, Task) and s.parent_id == root]
    return tuple(TaskId(x) for e in own for x in (e, *below(states, e)))


class Company:
    """People at work, whose changes have a correlation id."""

    def __init__(self, log: EventLog) -> None:
        self.log, self.handler = log, CommandHandler(log)

    async def do(self, command: Command, by: UserId, name: str) -> None:
        states = await whole(self.log)
        if isinstance(command, EditTask | MoveTask | DeleteTask):
            command = replace(command, below=below(states, command.task_id))
        try:
            await self.handler.handle(
                command, context(by, correlation_id=name, request_id=str(uuid4()))
            )
        except DomainError:
            return

    async def undo(self, name: str, by: str) -> Undone | None:
        """Undo *name* as Ana; return None if there is nothing."""
        states, told = await whole(self.log), list[Undone]()
        every = [e for e in await self.log.tail(0, 10_000) if e.org_id == ACME]
        numbers = [
            e.org_seq
            for e in every
            if e.metadata.correlation_id == name and state_of(type(e.event)) is not Undo
        ]
        recalled = await recall(self.log, ACME, name, numbers)
        if not recalled:
            return None
        roots = {each.stream for each in recalled}
        command = UndoChanges(
            correlation_id=name,
            recalled=tuple(recalled),
            below={root: below(states, root) for root in roots},
            fingerprint=self.log.keys.fingerprint,
            note=told.append,
        )
        await self.handler.handle(command, context(ANA, correlation_id=by, request_id=str(uuid4())))
        return told[-1]


async def live(actions: list[Command]) -> None:
    async with opened(MemoryStore()) as log:
        await record(log, *WORLD)
        company = Company(log)
        before = await whole(log)
        for each in actions:
            await company.do(each, ANA, "story")
        after = await whole(log)
        undone = await company.undo("story", "back")
        if undone is None:
            return
        now = await whole(log)
        conflicts = {each.id for each in undone.conflicts}
        check(before, now, conflicts)
        head = await log.last_position()
        await company.undo("story", "again")
        assert await log.last_position() == head or conflicts
        redone = await company.undo("back", "forth")
        if redone is not None and not conflicts and not redone.conflicts:
            check(after, await whole(log), conflicts)
        assert [each async for each in lint_log(log)] == []


def check(wanted: dict[UUID, Any], found: dict[UUID, Any], conflicts: set[UUID]) -> None:
    for stream, state in found.items():
        if stream in conflicts or isinstance(state, Undo):
            continue
        if stream in wanted or isinstance(state, DependencyGraph):
            assert seen(state) == seen(wanted.get(stream, DependencyGraph()))
        else:
            assert state.deleted


@settings(max_examples=150, deadline=None)
@for_all(st.lists(DOABLE, min_size=1, max_size=12))
def test_an_undo_brings_back_what_was_there(actions: list[Command]) -> None:
    RUNNER.run(live(actions))


def test_a_finished_task_goes_back_step_by_step_and_the_log_agrees() -> None:
    steps = [TaskStatus.IN_PROGRESS, TaskStatus.IN_REVIEW, TaskStatus.DONE]

    RUNNER.run(live([ChangeTaskStatus(task_id=TASKS[3], to=step) for step in steps]))
