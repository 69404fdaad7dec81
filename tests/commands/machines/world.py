"""What the state machines of the work have in common: a log, two handlers, and the model beside it.

Nothing here is a rule. The model says what must happen, each machine what anybody may try.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import MultipleResults, RuleBasedStateMachine, multiple

from commands.base import Command
from commands.handler import CommandHandler
from commands.lint.walk import lint_log
from commands.sight import hidden_projects
from commands.work.trash.purge import PurgeTrashed
from commands.work.trash.things import Thing
from domain.base import DomainError, ProjectId, TaskId, UserId
from domain.catalog import state_of
from domain.identity.organization.membership import Role
from domain.identity.plan import Plan
from domain.permission import ROLE_PERMISSIONS, Permission
from domain.work.project.events import ProjectStatus
from domain.work.workflow.events import FINISHED, Guard
from domain.work.workflow.events import StatusGroup as Group
from domain.work.workflow.state import TASK_TRANSITIONS
from eventstore.log import EventLog
from eventstore.memory import MemoryStore
from tests.commands.acme import ACCOUNTS, TEAM
from tests.commands.fork.forked import fork_of
from tests.commands.piece import LABELS, Piece, above, named
from tests.domain.spec import ACME, ANA, BEN, CLEO, DAN
from tests.spec import context, data_keys, on, record

T = TypeVar("T")
PEOPLE = st.sampled_from([ANA, ANA, ANA, BEN, CLEO, DAN])
"""Mostly the ADMIN, so that more happens than refusals."""
ACTIVE, ON_HOLD, ARCHIVED = ProjectStatus
NONE: MultipleResults[Any] = multiple()


class World(RuleBasedStateMachine):
    """Drives two handlers on one log beside a model made of dictionaries."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.store = MemoryStore()
        self.log = EventLog(self.store, data_keys())
        self.run(self.log.open())
        self.run(record(self.log, TEAM, *ACCOUNTS, *(on(each, named(each)) for each in LABELS)))
        self.handlers = [CommandHandler(self.log), CommandHandler(self.log)]
        self.plan, self.held = Plan.FREE, False
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
        try:
            self.run(self.check_the_end())
            self.run(self.check_forks())
        finally:
            self.run(self.log.close())
            self.runner.close()

    async def check_the_end(self) -> None:
        """Check what would take too long after each step: that the whole log has no fault."""
        assert [str(finding) async for finding in lint_log(self.log)] == []

    async def check_forks(self) -> None:
        """Check that forks of the organization, as it is and as it was, have no fault either."""
        head = await self.log.organization_head(ACME)
        await fork_of(self.log, ACME, "as-it-is")
        ids = await fork_of(self.log, ACME, "as-it-was", head * 2 // 3)
        assert [str(finding) async for finding in lint_log(self.log)] == []
        states = CommandHandler(self.log).states
        for user_id in (ANA, BEN, CLEO):
            now = await hidden_projects(self.log, states, ACME, user_id)
            there = await hidden_projects(self.log, states, ids.fork, user_id)
            assert {ids.of(each) for each in now if ids.copies(each)} <= there

    def passes(self, command: Command, by: UserId, right: bool, code: str | None = None) -> bool:
        """Handle *command* on the handler whose turn it is; it must pass exactly if *right*.

        Otherwise it must be refused with *code*, if the model says with which.
        """
        self.handlers.reverse()
        before = self.store.last_position()
        refusal: DomainError | None = None
        try:
            self.run(self.handlers[0].handle(command, context(by)))
        except DomainError as refused:
            refusal = refused
        assert right is (refusal is None), f"{command}: {refusal!r}"
        assert refusal is None or code in {None, refusal.code}, f"{command}: {refusal!r}"
        assert right or self.store.last_position() == before
        return right

    def replayed(self, stream: UUID, version: int = -1) -> Any:
        """Return the state that the log gives at *version*, by default the newest."""
        for recorded in self.run(self.log.tail(self.position, 1_000)):
            states = self.replays.setdefault(recorded.stream_id, [state_of(type(recorded.event))()])
            states.append(states[-1].evolve(recorded.event))
            self.position = recorded.position
        return self.replays[stream][version]

    # Who may do what --------------------------------------------------------

    def may(self, by: UserId, what: Permission | None, project: ProjectId | None = None) -> bool:
        granted = by in self.roles and what in ROLE_PERMISSIONS[self.roles[by]]
        return granted and (project is None or self.sees(by, project))

    def sees(self, by: UserId, project: ProjectId) -> bool:
        """Return whether *project* exists for somebody."""
        open_to_all = project not in self.private or self.roles.get(by) is Role.ADMIN
        return by in self.roles and (open_to_all or by in self.invited[project])

    def editable(self, project: ProjectId) -> bool:
        return project not in self.trash and self.statuses[project] is not ARCHIVED

    def fits_back(self, project: ProjectId) -> bool:
        """Return whether the plan has room for what is in *project*, which is in the trash."""
        return True

    # Tasks ------------------------------------------------------------------

    def level(self, task: TaskId | None) -> int:
        return 0 if task is None else 1 + self.level(self.pieces[task].parent)

    def next_number(self, project: ProjectId) -> int:
        self.numbers[project] = number = 1 + self.numbers.get(project, 0)
        return number

    def shown(self, task: TaskId) -> bool:  # neither it nor a task above it is in the trash
        return self.trash.isdisjoint((task, *above(self.pieces, task)))

    def is_open(self, task: TaskId) -> bool:
        return self.pieces[task].group not in FINISHED

    def open_below(self, task: TaskId) -> int:
        """Return how many subtasks of *task* are neither finished nor in the trash."""
        return sum(
            piece.parent == task and self.is_open(each) and each not in self.trash
            for each, piece in self.pieces.items()
        )

    # The standard workflow, which machines with other ones override -----------

    def keys_in(self, project: ProjectId) -> Sequence[str]:
        """Return the keys of all statuses that tasks of *project* may ever have had."""
        return list(Group)

    def start(self, project: ProjectId) -> tuple[str, Group]:
        """Return the status in which the tasks of *project* begin."""
        return Group.TODO.value, Group.TODO

    def place(self, task: TaskId) -> tuple[str, Group]:
        """Return the status that *task* has now."""
        return self.pieces[task].status, self.pieces[task].group

    def place_in(self, task: TaskId, project: ProjectId) -> tuple[str, Group]:
        """Return the status that *task* gets when it is moved to *project*."""
        return self.place(task)

    def step(self, project: ProjectId, at: str, to: str) -> tuple[Group, Sequence[Guard]] | None:
        """Return the group that a step leads to, and its guards; None if there is no such step."""
        if Group(to) not in TASK_TRANSITIONS[Group(at)]:
            return None
        return Group(to), tuple(Guard) if to == Group.DONE else ()

    def is_held_up(self, task: TaskId, guards: Sequence[Guard]) -> bool:
        """Return whether one of *guards* keeps *task* where it is."""
        return Guard.NO_OPEN_SUBTASK in guards and self.open_below(task) > 0

    # What is purged ---------------------------------------------------------

    def purges(self, thing: Thing, by: UserId) -> bool:
        """Purge a thing, which must be in the trash and not be purged; return whether it is."""
        right = self.may(by, Permission.TRASH_PURGE) and self.is_trashed(thing)
        right = right and thing.id not in self.purged and not self.held
        if self.passes(PurgeTrashed(thing=thing), by, right):
            self.purged.add(thing.id)
            return True
        return False

    def is_trashed(self, thing: Thing) -> bool:
        return thing.id in self.trash
