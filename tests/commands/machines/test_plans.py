"""Any sequence of commands on cycles and milestones, and on what is in them, beside the model."""

from datetime import date
from typing import Any
from uuid import UUID, uuid4

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, initialize, invariant, rule
from msgspec import Struct

from commands.claims.names import part_in_trash
from commands.claims.planning import planned_open_tasks, planned_tasks
from commands.planning.cycle import CreateCycle, DeleteCycle, EditCycle, RestoreCycle
from commands.planning.milestone import (
    CreateMilestone,
    DeleteMilestone,
    EditMilestone,
    RestoreMilestone,
)
from commands.work.task import EditTask
from commands.work.task_plan import Planned
from commands.work.trash.purge import PurgeContents
from commands.work.trash.things import Thing
from domain.base import ERASED, CycleId, MilestoneId, ProjectId, TaskId, UserId
from domain.permission import Permission
from domain.planning.cycle import CYCLE_DAYS_MAX
from domain.work.trash import TrashKind
from projections.planning.cycle import Cycles
from projections.planning.milestone import Milestones
from projections.work.task import Tasks
from tests.commands.machines.patience import examples
from tests.commands.machines.world import NONE, PEOPLE
from tests.commands.planning.plans import days
from tests.commands.test_machine_of_tasks import Board
from tests.domain.spec import ACME, ANA
from tests.projections.spec import shown

NAMES = st.sampled_from(["Alpha", "ALPHA", "Beta"])
FIRST, LENGTH = st.integers(0, 12), st.sampled_from([0, 1, 3, 7, -2, CYCLE_DAYS_MAX])
"""The days after the first one; the last two are refused."""


class Part(Struct):
    """What the model knows of a cycle, or of a milestone, which has no days."""

    project: ProjectId
    name: str
    days: tuple[int, int] | None = None
    deleted: bool = False
    purged: bool = False

    def meets(self, other: "Part") -> bool:
        """Return whether two parts of one kind cannot both be there."""
        if self.project != other.project or (self.days is None) is not (other.days is None):
            return False
        if self.name.casefold() == other.name.casefold():
            return True
        if self.days is None or other.days is None:
            return False
        return self.days[0] <= other.days[1] and other.days[0] <= self.days[1]


def is_valid(begins: int, ends: int) -> bool:
    return 0 <= ends - begins < CYCLE_DAYS_MAX


class Planning(Board):
    """The company, whose projects have cycles and milestones."""

    projects, tasks = Board.projects, Board.tasks
    parts: Bundle[UUID] = Bundle("parts")

    def __init__(self) -> None:
        super().__init__()
        self.parted: dict[UUID, Part] = {}
        self.places: dict[tuple[TaskId, bool], UUID] = {}
        """In which cycle (True) and towards which milestone (False) each task is."""

    @initialize(target=projects)
    def begin_with_a_project(self) -> Any:
        return self.create_project(by=ANA, key="FIRST")

    def may_plan(self, by: UserId, project: ProjectId) -> bool:
        return self.may(by, Permission.PROJECT_WORKFLOW, project) and self.editable(project)

    def is_free(self, wanted: Part, part: UUID | None = None) -> bool:
        """Return whether *wanted* could be there, in the place of *part*."""
        return not any(
            each != part and not (one.deleted or one.purged) and one.meets(wanted)
            for each, one in self.parted.items()
        )

    # Parts ------------------------------------------------------------------

    @rule(target=parts, project=projects, by=PEOPLE, name=NAMES, begins=FIRST, length=LENGTH)
    def create_cycle(
        self, project: ProjectId, by: UserId, name: str, begins: int, length: int
    ) -> Any:
        cycle, wanted = CycleId(uuid4()), Part(project, name, (begins, begins + length))
        dates = days(begins, begins + length)
        command = CreateCycle(
            cycle_id=cycle,
            project_id=project,
            name=name,
            starts_on=dates.starts_on,
            ends_on=dates.ends_on,
        )
        right = self.may_plan(by, project) and is_valid(begins, begins + length)
        if not self.passes(command, by, right and self.is_free(wanted)):
            return NONE
        self.parted[cycle] = wanted
        return cycle

    @rule(target=parts, project=projects, by=PEOPLE, name=NAMES)
    def create_milestone(self, project: ProjectId, by: UserId, name: str) -> Any:
        milestone, wanted = MilestoneId(uuid4()), Part(project, name)
        command = CreateMilestone(milestone_id=milestone, project_id=project, name=name)
        right = self.may_plan(by, project) and self.is_free(wanted)
        if not self.passes(command, by, right):
            return NONE
        self.parted[milestone] = wanted
        return milestone

    @rule(part=parts, by=PEOPLE, name=NAMES, begins=FIRST, length=LENGTH)
    def edit(self, part: UUID, by: UserId, name: str, begins: int, length: int) -> None:
        known, ends = self.parted[part], begins + length
        wanted = Part(known.project, name, None if known.days is None else (begins, ends))
        if known.days is None:
            command: Any = EditMilestone(milestone_id=MilestoneId(part), name=name)
        else:
            command = EditCycle(
                cycle_id=CycleId(part),
                name=name,
                starts_on=days(begins, ends).starts_on,
                ends_on=days(begins, ends).ends_on,
            )
        right = self.may_plan(by, known.project) and not (known.deleted or known.purged)
        right = right and (known.days is None or is_valid(begins, ends))
        if self.passes(command, by, right and self.is_free(wanted, part)):
            self.parted[part] = wanted

    @rule(part=parts, by=PEOPLE, repeats=st.sampled_from([False, False, True]))
    def delete_or_restore_part(self, part: UUID, by: UserId, repeats: bool) -> None:
        known = self.parted[part]
        back = known.deleted is not repeats
        if known.days is None:
            kind: Any = RestoreMilestone if back else DeleteMilestone
            command = kind(milestone_id=part)
        else:
            kind = RestoreCycle if back else DeleteCycle
            command = kind(cycle_id=part)
        right = self.may_plan(by, known.project) and not known.purged
        if back:
            right = right and (not known.deleted or self.is_free(known, part))
        else:
            right = right and not known.deleted
        if self.passes(command, by, right):
            known.deleted = not back

    # What is purged ---------------------------------------------------------

    def thing(self, part: UUID) -> Thing:
        cycle = self.parted[part].days is not None
        return Thing(TrashKind.CYCLE if cycle else TrashKind.MILESTONE, part)

    def is_trashed(self, thing: Thing) -> bool:
        known = self.parted.get(thing.id)
        return super().is_trashed(thing) if known is None else known.deleted

    @rule(part=parts, by=PEOPLE)
    def purge_part(self, part: UUID, by: UserId) -> None:
        if self.purges(self.thing(part), by):
            self.parted[part].purged = True

    @rule(project=projects)
    def purge_parts_of_project(self, project: ProjectId) -> None:
        things = tuple(self.thing(each) for each in self.parted)
        command = PurgeContents(within=Thing(TrashKind.PROJECT, project), things=things)
        if self.passes(command, ANA, project in self.purged):
            for each, known in self.parted.items():
                if known.project == project:
                    known.purged = True
                    self.purged.add(each)

    # What is in them --------------------------------------------------------

    def put_towards(self, task: TaskId, by: UserId, planned: bool) -> None:
        """Not a rule here, where ``put`` says more."""
        raise NotImplementedError

    @rule(task=tasks, part=parts, by=PEOPLE, out=st.sampled_from([False, False, True]))
    def put(self, task: TaskId, part: UUID, by: UserId, out: bool) -> None:
        piece, known = self.pieces[task], self.parted[part]
        cycle, to = known.days is not None, None if out else part
        planned: Any = Planned(cycle_id=to) if cycle else Planned(milestone_id=to)  # type: ignore[arg-type]  # which of the two it is
        right = self.may(by, Permission.TASK_EDIT, piece.project) and self.shown(task)
        right = right and self.editable(piece.project)
        there = self.places.get((task, cycle)) == part
        fits = known.project == piece.project and not (known.deleted or known.purged)
        right = right and (out or there or fits)
        if self.passes(EditTask(task_id=task, planned=planned), by, right):
            self.places.pop((task, cycle), None)
            if not out:
                self.places[task, cycle] = part
            piece.planned = (task, False) in self.places

    def settle(self, task: TaskId, project: ProjectId) -> None:
        super().settle(task, project)
        for cycle in (True, False):
            self.places.pop((task, cycle), None)

    # What must hold ---------------------------------------------------------

    @invariant()
    def parts_count_what_is_in_them_and_shown(self) -> None:
        expected: dict[Any, int] = {}
        for part, known in self.parted.items():
            there = [t for (t, _), at in self.places.items() if at == part and self.shown(t)]
            expected[planned_tasks(ACME, part)] = len(there)
            expected[planned_open_tasks(ACME, part)] = sum(map(self.is_open, there))
            expected[part_in_trash(ACME, part)] = int(known.deleted or known.purged)
        found = self.run(self.log.counted(*expected)) if expected else []
        assert found == list(expected.values())

    @invariant()
    def replaying_the_log_gives_the_parts(self) -> None:
        for part, known in self.parted.items():
            found = self.replayed(part)
            gone = (known.deleted or known.purged, known.purged)
            assert (found.project_id, found.deleted, found.purged) == (known.project, *gone)
            assert found.name == (ERASED if known.purged else known.name)
            if known.days is not None:
                assert found.dates == days(*known.days)
        for task in self.pieces:
            found = self.replayed(task)
            there = (found.cycle_id, found.milestone_id)
            assert there == (self.places.get((task, True)), self.places.get((task, False)))

    async def check_the_end(self) -> None:
        await super().check_the_end()
        events = await self.log.tail(0, 10_000)
        listed = shown(Cycles(), *(e for e in events if e.tag in Cycles.tags))
        listed |= shown(Milestones(), *(e for e in events if e.tag in Milestones.tags))
        assert len(listed) == len(self.parted)
        for part, known in self.parted.items():
            document = listed[f"{ACME}:{part}"]
            view = msgspec.json.decode(document.json)
            assert document.deleted is (known.deleted or known.purged)
            assert view["name"] == (ERASED if known.purged else known.name)
            if known.days is not None:
                told = (date.fromisoformat(view["startsOn"]), date.fromisoformat(view["endsOn"]))
                dates = days(*known.days)
                assert told == (dates.starts_on, dates.ends_on)
        tasks = shown(Tasks(), *(e for e in events if e.tag in Tasks.tags))
        for task in self.pieces:
            view = msgspec.json.decode(tasks[f"{ACME}:{task}"].json)
            for cycle, name in ((True, "cycleId"), (False, "milestoneId")):
                part_id = self.places.get((task, cycle))
                assert view[name] == (None if part_id is None else str(part_id))


Planning.TestCase.settings = settings(max_examples=examples(20), stateful_step_count=40)
TestPlanning = Planning.TestCase
