"""Any sequence of commands by anybody leaves the log as a simple model says it must be."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar
from uuid import UUID, uuid4

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    invariant,
    multiple,
    rule,
)

from commands.base import Command
from commands.handler import CommandHandler
from commands.identity.organization import EditMember
from commands.plan_counts import tasks_in
from commands.relation_counts import children, open_subtasks, subtasks
from commands.work.project import (
    CreateProject,
    DeleteProject,
    ProjectCommand,
    RestoreProject,
    UnarchiveProject,
)
from commands.work.task import ChangeTaskStatus, EditTask
from commands.work.task_create import CreateTask
from commands.work.trash.task import DeleteTask, RestoreTask
from domain.base import DomainError, ProjectId, TaskId, UserId
from domain.catalog import state_of
from domain.identity.organization.membership import Role
from domain.permission import ROLE_PERMISSIONS, Permission
from domain.work.project.events import ProjectStatus
from domain.work.task.events import TaskStatus
from domain.work.task.state import LEVELS_MAX
from domain.work.workflow.events import StatusGroup
from domain.work.workflow.state import TASK_TRANSITIONS
from eventstore.log import EventLog
from eventstore.memory import MemoryStore
from tests.commands.acme import ACCOUNTS, TEAM
from tests.commands.piece import LABELS, MOVES, Piece, above, named, piece_of
from tests.domain.spec import ACME, ANA, BEN, CLEO, DAN
from tests.eventstore.crowd import check_gapless
from tests.spec import context, data_keys, on, record

T = TypeVar("T")
PEOPLE = st.sampled_from([ANA, BEN, CLEO, DAN])
ACTIVE, ON_HOLD, ARCHIVED = ProjectStatus
NONE: MultipleResults[Any] = multiple()
DONE = TaskStatus.DONE
FINISHED = (DONE, TaskStatus.CANCELLED)
STARTED = (TaskStatus.IN_PROGRESS, TaskStatus.IN_REVIEW)


class Company(RuleBasedStateMachine):
    """Drives two handlers on one log beside a model made of dictionaries."""

    projects: Bundle[ProjectId] = Bundle("projects")
    tasks: Bundle[TaskId] = Bundle("tasks")

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.store = MemoryStore()
        self.log = EventLog(self.store, data_keys())
        self.run(self.log.open())
        self.run(record(self.log, TEAM, *ACCOUNTS, *(on(each, named(each)) for each in LABELS)))
        self.handlers = [CommandHandler(self.log), CommandHandler(self.log)]
        self.roles: dict[UserId, Role] = {ANA: Role.ADMIN, BEN: Role.MANAGER, CLEO: Role.MEMBER}
        self.statuses: dict[ProjectId, ProjectStatus] = {}
        self.keys: set[str] = set()
        self.pieces: dict[TaskId, Piece] = {}
        self.numbers: dict[ProjectId, int] = {}
        self.trash: set[UUID] = set()
        self.purged: set[UUID] = set()
        self.private: set[ProjectId] = set()
        self.invited: dict[ProjectId, set[UserId]] = {}
        self.position = 0
        self.replays: dict[UUID, list[Any]] = {}

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def teardown(self) -> None:
        self.run(self.log.close())
        self.runner.close()

    def passes(self, command: Command, by: UserId, right: bool) -> bool:
        """Handle *command* on the handler whose turn it is; it must pass exactly if *right*."""
        self.handlers.reverse()
        before = self.store.last_position()
        refusal: DomainError | None = None
        try:
            self.run(self.handlers[0].handle(command, context(by)))
        except DomainError as refused:
            refusal = refused
        assert right is (refusal is None), f"{command}: {refusal!r}"
        assert right or self.store.last_position() == before
        return right

    def may(self, by: UserId, what: Permission | None, project: ProjectId | None = None) -> bool:
        granted = by in self.roles and what in ROLE_PERMISSIONS[self.roles[by]]
        return granted and (project is None or self.sees(by, project))

    def sees(self, by: UserId, project: ProjectId) -> bool:
        """Return whether *project* exists for somebody."""
        open_to_all = project not in self.private or self.roles.get(by) is Role.ADMIN
        return by in self.roles and (open_to_all or by in self.invited[project])

    def editable(self, project: ProjectId) -> bool:
        return project not in self.trash and self.statuses[project] is not ARCHIVED

    # Projects and members ---------------------------------------------------

    @rule(target=projects, by=PEOPLE, key=st.sampled_from(["ENG", "OPS", "HR"]))
    def create_project(self, by: UserId, key: str) -> Any:
        project = ProjectId(uuid4())
        command = CreateProject(project_id=project, key=key, name=key)
        right = self.may(by, command.needs) and key not in self.keys
        if not self.passes(command, by, right):
            return NONE
        self.keys.add(key)
        self.statuses[project] = ACTIVE
        self.invited[project] = {by}
        return project

    @rule(project=projects, by=PEOPLE, kind=st.sampled_from(list(MOVES)))
    def move_project(self, project: ProjectId, by: UserId, kind: type[ProjectCommand]) -> None:
        to, allowed = MOVES[kind]
        here = project not in self.trash and self.statuses[project] in allowed
        if self.passes(kind(project_id=project), by, self.may(by, kind.needs, project) and here):
            self.statuses[project] = to

    @rule(project=projects, by=PEOPLE)
    def unarchive_project(self, project: ProjectId, by: UserId) -> None:
        right = self.may(by, UnarchiveProject.needs, project) and project not in self.trash
        passed = self.passes(UnarchiveProject(project_id=project), by, right)
        if passed and self.statuses[project] is ARCHIVED:
            self.statuses[project] = ACTIVE

    @rule(project=projects, by=PEOPLE)
    def delete_project(self, project: ProjectId, by: UserId) -> None:
        right = self.may(by, DeleteProject.needs, project) and project not in self.trash
        if self.passes(DeleteProject(project_id=project), by, right):
            self.trash.add(project)

    @rule(project=projects, by=PEOPLE)
    def restore_project(self, project: ProjectId, by: UserId) -> None:
        right = self.may(by, RestoreProject.needs, project) and project not in self.purged
        if self.passes(RestoreProject(project_id=project), by, right):
            self.trash.discard(project)

    @rule(who=PEOPLE, by=PEOPLE, role=st.sampled_from(Role))
    def change_role(self, who: UserId, by: UserId, role: Role) -> None:
        command = EditMember(organization_id=ACME, user_id=who, role=role)
        admins = [user for user, held in self.roles.items() if held is Role.ADMIN]
        last = admins == [who] and role is not Role.ADMIN
        right = self.may(by, command.needs) and who in self.roles and not last
        if self.passes(command, by, right):
            self.roles[who] = role

    # Tasks ------------------------------------------------------------------

    @rule(target=tasks, project=projects, by=PEOPLE)
    def create_task(self, project: ProjectId, by: UserId) -> Any:
        task = TaskId(uuid4())
        command = CreateTask(task_id=task, project_id=project, title="One")
        active = project not in self.trash and self.statuses[project] is ACTIVE
        if not self.passes(command, by, self.may(by, command.needs, project) and active):
            return NONE
        self.pieces[task] = Piece(project, self.next_number(project), by)
        return task

    @rule(target=tasks, parent=tasks, by=PEOPLE)
    def create_subtask(self, parent: TaskId, by: UserId) -> Any:
        task, project = TaskId(uuid4()), self.pieces[parent].project
        command = CreateTask(task_id=task, project_id=project, title="One", parent_id=parent)
        active = project not in self.trash and self.statuses[project] is ACTIVE
        right = self.may(by, command.needs, project) and active and self.shown(parent)
        right = right and self.level(parent) < LEVELS_MAX
        if not self.passes(command, by, right):
            return NONE
        self.pieces[task] = Piece(project, self.next_number(project), by, parent=parent)
        return task

    def level(self, task: TaskId | None) -> int:
        return 0 if task is None else 1 + self.level(self.pieces[task].parent)

    def next_number(self, project: ProjectId) -> int:
        self.numbers[project] = number = 1 + self.numbers.get(project, 0)
        return number

    def shown(self, task: TaskId) -> bool:  # neither it nor a task above it is in the trash
        return self.trash.isdisjoint((task, *above(self.pieces, task)))

    def open_below(self, task: TaskId) -> int:
        """Return how many subtasks of *task* are neither finished nor in the trash."""
        return sum(
            piece.parent == task and piece.status not in FINISHED and each not in self.trash
            for each, piece in self.pieces.items()
        )

    def is_held_up(self, task: TaskId) -> bool:
        """Return whether a guard of the standard workflow keeps *task* from being done."""
        return self.open_below(task) > 0

    @rule(task=tasks, by=PEOPLE, title=st.sampled_from(["One", "Two"]))
    def retitle(self, task: TaskId, by: UserId, title: str) -> None:
        piece = self.pieces[task]
        here = self.editable(piece.project) and self.shown(task)
        command = EditTask(task_id=task, title=title)
        if self.passes(command, by, self.may(by, command.needs, piece.project) and here):
            piece.title = title

    @rule(task=tasks, by=PEOPLE, to=st.sampled_from(TaskStatus), force=st.booleans())
    def move_task(self, task: TaskId, by: UserId, to: TaskStatus, force: bool) -> None:
        piece = self.pieces[task]
        right = self.may(by, Permission.TASK_EDIT, piece.project) and self.shown(task)
        right = right and self.editable(piece.project)
        right = right and (not force or self.may(by, Permission.TASK_FORCE))
        if right and to is not piece.status:
            leads = by == piece.creator or self.roles[by] is not Role.MEMBER
            held = self.statuses[piece.project] is ON_HOLD and to in STARTED
            way = StatusGroup(to) in TASK_TRANSITIONS[StatusGroup(piece.status)]
            right = way and not held and (leads or piece.status not in FINISHED or to in FINISHED)
            right = right and (to is not DONE or force or not self.is_held_up(task))
        if self.passes(ChangeTaskStatus(task_id=task, to=to, force=force), by, right):
            piece.status = to

    @rule(task=tasks, by=PEOPLE, kind=st.sampled_from([DeleteTask, RestoreTask]))
    def trash_task(self, task: TaskId, by: UserId, kind: type[DeleteTask | RestoreTask]) -> None:
        piece = self.pieces[task]
        own = by in self.roles and by == piece.creator
        right = (self.may(by, Permission.TASK_DELETE) or own) and self.sees(by, piece.project)
        right = right and piece.project not in self.trash
        right = right and (piece.parent is None or self.shown(piece.parent))
        right = right and (kind is RestoreTask or task not in self.trash)
        right = right and task not in self.purged
        below = [each for each in self.pieces if task in above(self.pieces, each)]
        if self.passes(kind(task_id=task, below=tuple(below)), by, right):
            (self.trash.add if kind is DeleteTask else self.trash.discard)(task)

    # What must hold at all times --------------------------------------------

    def replayed(self, stream: UUID, version: int = -1) -> Any:
        """Return the state that the log gives at *version*, by default the newest."""
        for recorded in self.run(self.log.tail(self.position, 1_000)):
            states = self.replays.setdefault(recorded.stream_id, [state_of(type(recorded.event))()])
            states.append(states[-1].evolve(recorded.event))
            self.position = recorded.position
        return self.replays[stream][version]

    @invariant()
    def replaying_the_log_gives_the_model(self) -> None:
        for project, status in self.statuses.items():
            found = self.replayed(project)
            assert (found.status, found.deleted) == (status, project in self.trash)
        for task, piece in self.pieces.items():
            found = self.replayed(task)
            assert (piece_of(found), found.deleted) == (piece, task in self.trash)
        members = self.replayed(ACME).members
        assert {user: member.role for user, member in members.items()} == self.roles

    @invariant()
    def the_counts_are_those_of_the_model(self) -> None:
        here = [piece for task, piece in self.pieces.items() if self.shown(task)]
        expected = {open_subtasks(ACME, task): self.open_below(task) for task in self.pieces}
        for task in self.pieces:
            below = [each for each, one in self.pieces.items() if one.parent == task]
            expected[children(ACME, task)] = len(below)
            expected[subtasks(ACME, task)] = sum(each not in self.trash for each in below)
        for project in self.statuses:
            for status in TaskStatus:
                count = sum((p.project, p.status) == (project, status) for p in here)
                expected[tasks_in(ACME, project, status)] = count
        found = self.run(self.log.counted(*expected))
        assert found == list(expected.values())

    @invariant()
    def what_is_kept_in_memory_is_what_the_log_says(self) -> None:
        for handler in self.handlers:
            for stream in (ACME, *self.statuses, *self.pieces):
                known = handler.states.cache.get(stream)
                if known is not None:
                    assert known.state == self.replayed(stream, known.version)

    @invariant()
    def the_log_has_no_gap(self) -> None:
        check_gapless(self.store)


Company.TestCase.settings = settings(max_examples=20, stateful_step_count=25)
TestCompany = Company.TestCase
