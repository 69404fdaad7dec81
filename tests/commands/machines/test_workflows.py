"""Any sequence of commands on workflows and on what they let tasks do, beside the model.

The model moves every task at once when its status goes, which the product never does.
"""

from collections.abc import Callable, Mapping, Sequence

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule
from msgspec import Struct, field
from msgspec.structs import replace

from commands.identity.organization import ChangePlan
from commands.work.workflow import DefineWorkflow
from domain.base import ProjectId, TaskId, UserId
from domain.identity.plan import Plan
from domain.permission import Permission
from domain.work.workflow.events import FINISHED, Guard, Preset, Transition
from domain.work.workflow.events import StatusGroup as Group
from domain.work.workflow.state import PRESETS, TASK_TRANSITIONS, Status
from tests.commands.machines.patience import examples
from tests.commands.machines.test_relations import Web
from tests.commands.machines.world import PEOPLE
from tests.commands.piece import Piece
from tests.domain.spec import ACME, ANA

POOL = {each.value: each for each in Group} | {
    "LATER": Group.TODO,
    "DOING": Group.IN_PROGRESS,
    "CHECK": Group.IN_REVIEW,
    "SHIPPED": Group.DONE,
}
KEYS = st.sampled_from([*POOL])
MOVED = st.dictionaries(KEYS, KEYS, max_size=3)
GUARDS = st.lists(st.sampled_from(Guard), unique=True).map(tuple)


class Flow(Struct):
    """What the model knows of a workflow; ``moved`` tells where statuses went that are gone."""

    groups: dict[str, Group]
    steps: dict[tuple[str, str], tuple[Guard, ...]]
    moved: dict[str, str] = field(default_factory=dict[str, str])
    version: int = 1
    preset: Preset | None = None

    def led(self, key: str, group: Group) -> str:
        """Return the status of a task that was last put into *key* of *group*."""
        found = self.moved.get(key, key)
        is_open = group not in FINISHED
        alike = [each for each, of in self.groups.items() if (of not in FINISHED) is is_open]
        return found if found in alike else min(alike, key=lambda k: self.groups[k] is not group)


STANDARD = Flow(
    {each.value: each for each in Group},
    {
        (at.value, to.value): tuple(Guard) if to is Group.DONE else ()
        for at, ways in TASK_TRANSITIONS.items()
        for to in ways
    },
    preset=Preset.STANDARD,
)
SHAPES = st.lists(KEYS, unique=True, min_size=2).filter(
    lambda keys: {Group.TODO, Group.DONE} <= {POOL[each] for each in keys}
)


INVALID: dict[str, Callable[[list[Status], list[Transition]], object]] = {
    "a step to no status": lambda _, steps: steps.append(Transition(from_=steps[0].to, to="NONE")),
    "a step to itself": lambda _, steps: steps.append(
        Transition(from_=steps[0].to, to=steps[0].to)
    ),
    "a step twice": lambda _, steps: steps.append(steps[-1]),
    "a guard twice": lambda _, steps: steps.append(
        replace(steps.pop(), guards=(Guard.NO_OPEN_BLOCKER,) * 2)
    ),
    "no steps at all": lambda _, steps: steps.clear(),
    "a status twice": lambda statuses, _: statuses.append(replace(statuses[0], name="Again")),
    "a name twice": lambda statuses, _: statuses.append(replace(statuses[0], key="AGAIN")),
    "no status to finish in": lambda statuses, _: [
        statuses.remove(each) for each in [*statuses] if each.group is Group.DONE
    ],
    "no status to begin in": lambda statuses, _: [
        statuses.remove(each) for each in [*statuses] if each.group is Group.TODO
    ],
}
"""What is done to a workflow that no task could live by then."""


class Flowing(Web):
    """The company, whose projects have workflows of their own."""

    projects, tasks = Web.projects, Web.tasks

    def __init__(self) -> None:
        super().__init__()
        self.flows: dict[ProjectId, Flow] = {}
        self.now: dict[TaskId, str] = {}

    def flow(self, project: ProjectId) -> Flow:
        return self.flows.get(project, STANDARD)

    def first(self) -> TaskId:
        if not self.pieces:
            self.create_task(project=self.create_project(by=ANA, key="FIRST"), by=ANA)
        return next(iter(self.pieces))

    @initialize(target=projects)
    def begin_with_a_project(self) -> ProjectId:
        return self.pieces[self.first()].project

    @initialize(target=tasks)
    def begin_with_a_task(self) -> TaskId:
        return self.first()

    # How tasks live by them -------------------------------------------------

    def keys_in(self, project: ProjectId) -> Sequence[str]:
        return [*POOL]

    def start(self, project: ProjectId) -> tuple[str, Group]:
        groups = self.flow(project).groups
        return next(key for key, group in groups.items() if group is Group.TODO), Group.TODO

    def place(self, task: TaskId) -> tuple[str, Group]:
        piece = self.pieces[task]
        flow = self.flow(piece.project)
        key = self.now[task] if self.shown(task) else flow.led(piece.status, piece.group)
        return key, flow.groups[key]

    def place_in(self, task: TaskId, project: ProjectId) -> tuple[str, Group]:
        flow = self.flow(project)
        key = flow.led(*self.place(task))
        return key, flow.groups[key]

    def step(self, project: ProjectId, at: str, to: str) -> tuple[Group, Sequence[Guard]] | None:
        flow = self.flow(project)
        guards = flow.steps.get((at, to))
        return None if guards is None else (flow.groups[to], guards)

    def add(self, task: TaskId, piece: Piece) -> None:
        super().add(task, piece)
        self.now[task] = piece.status

    def settle(self, task: TaskId, project: ProjectId) -> None:
        super().settle(task, project)
        self.now[task] = self.pieces[task].status

    def change_status(self, task: TaskId, by: UserId, to: str, force: bool) -> bool:
        changes = super().change_status(task, by, to, force)
        if changes:
            self.now[task] = to
        return changes

    def came_back(self, task: TaskId) -> None:
        """Put a task that was in the trash where its status led; recorded if it means another."""
        piece = self.pieces[task]
        flow = self.flow(piece.project)
        self.now[task] = led = flow.led(piece.status, piece.group)
        if led != flow.moved.get(piece.status, piece.status):
            piece.status, piece.group = led, flow.groups[led]

    @rule(task=tasks, by=PEOPLE, to=KEYS, force=st.booleans())
    def move_task_along(self, task: TaskId, by: UserId, to: str, force: bool) -> None:
        self.change_status(task, by, to, force)

    # How they change --------------------------------------------------------

    @rule(by=PEOPLE, plan=st.sampled_from(Plan))
    def change_plan(self, by: UserId, plan: Plan) -> None:
        command = ChangePlan(organization_id=ACME, plan=plan)
        if self.passes(command, by, self.may(by, command.needs)):
            self.plan = plan

    def may_define(self, by: UserId, project: ProjectId) -> bool:
        return self.may(by, Permission.PROJECT_WORKFLOW, project) and self.editable(project)

    @rule(project=projects, by=PEOPLE, preset=st.sampled_from(Preset))
    def take_preset(self, project: ProjectId, by: UserId, preset: Preset) -> None:
        """Every plan has the presets."""
        known = PRESETS[preset]
        after = Flow(
            {each.key: each.group for each in known.statuses},
            {(each.from_, each.to): each.guards for each in known.transitions},
            preset=preset,
        )
        command = DefineWorkflow(
            project_id=project, statuses=known.statuses, transitions=known.transitions
        )
        may, same = self.may_define(by, project), self.flow(project).preset is preset
        fits = same or self.has_room(project, after.groups, {})
        code = "status_in_use" if may and not fits else None
        if self.passes(command, by, may and fits, code) and not same:
            self.redefine(project, after, {})

    @rule(project=projects, by=PEOPLE, keys=SHAPES, wrong=st.sampled_from([*INVALID]))
    def define_wrongly(self, project: ProjectId, by: UserId, keys: list[str], wrong: str) -> None:
        """Try what is refused under every plan, because no task could live by it."""
        statuses = [Status(key=each, name=each, group=POOL[each]) for each in keys]
        steps = [Transition(from_=a, to=b) for a in keys for b in keys if a != b]
        INVALID[wrong](statuses, steps)
        command = DefineWorkflow(
            project_id=project, statuses=tuple(statuses), transitions=tuple(steps)
        )
        code = "workflow_not_valid" if self.may_define(by, project) else None
        self.passes(command, by, right=False, code=code)

    @rule(project=projects, by=PEOPLE, keys=SHAPES, guards=GUARDS, moved=MOVED)
    def define(
        self,
        project: ProjectId,
        by: UserId,
        keys: list[str],
        guards: tuple[Guard, ...],
        moved: Mapping[str, str],
    ) -> None:
        groups = {each: POOL[each] for each in keys}
        steps = {
            (at, to): guards if groups[to] is Group.DONE else ()
            for at in keys
            for to in keys
            if at != to
        }
        before = self.flow(project)
        moved = {old: to for old, to in moved.items() if old in before.groups and old not in groups}
        command = DefineWorkflow(
            project_id=project,
            statuses=tuple(Status(key=k, name=k, group=g) for k, g in groups.items()),
            transitions=tuple(
                Transition(from_=at, to=to, guards=of) for (at, to), of in steps.items()
            ),
            moved={**moved},
        )
        same = project in self.flows and (before.groups, before.steps) == (groups, steps)
        same = same and before.preset is None and [*before.groups] == keys
        code = None if same else self.refusal_of(project, groups, moved)
        may = self.may_define(by, project)
        if self.passes(command, by, may and code is None, code if may else None) and not same:
            self.redefine(project, Flow(groups, steps), moved)

    def refusal_of(
        self, project: ProjectId, groups: Mapping[str, Group], moved: Mapping[str, str]
    ) -> str | None:
        """Return why a project cannot have a workflow of its own; None if it can."""
        for old, to in moved.items():
            if to not in groups or (POOL[old] in FINISHED) is not (groups[to] in FINISHED):
                return "workflow_not_valid"
        if self.plan is Plan.FREE:
            return "plan_limit"
        return None if self.has_room(project, groups, moved) else "status_in_use"

    def has_room(
        self, project: ProjectId, groups: Mapping[str, Group], moved: Mapping[str, str]
    ) -> bool:
        """Return whether every task of *project* that is not in the trash has a place to go."""
        here = [t for t, one in self.pieces.items() if one.project == project and self.shown(t)]
        stays = all(self.now[each] in groups or self.now[each] in moved for each in here)
        comes_back = self.flow(project).moved.keys() & groups.keys()
        return stays and not any(self.pieces[each].status in comes_back for each in here)

    def redefine(self, project: ProjectId, after: Flow, moved: Mapping[str, str]) -> None:
        known = self.flow(project).moved
        led = {old: moved.get(to, to) for old, to in known.items()} | {**moved}
        after.moved = {
            old: to for old, to in led.items() if old not in after.groups and to in after.groups
        }
        self.replayed(project)
        after.version = len(self.replays[project]) - 1
        self.flows[project] = after
        for task, piece in self.pieces.items():
            if piece.project == project and self.shown(task):
                self.now[task] = moved.get(self.now[task], self.now[task])

    # What must hold ---------------------------------------------------------

    @invariant()
    def every_task_is_where_it_went_when_its_status_went(self) -> None:
        for task, piece in self.pieces.items():
            if self.shown(task):
                workflow = self.replayed(piece.project).workflow
                found = self.replayed(task)
                place = workflow.place(found.status, found.group)
                assert (place.key, place.group) == self.place(task)

    @invariant()
    def replaying_the_log_gives_the_workflows(self) -> None:
        for project, flow in self.flows.items():
            found = self.replayed(project).workflow
            assert found.version == flow.version
            assert {each.key: each.group for each in found.statuses} == flow.groups
            assert {(at, to) for at, ways in found.steps.items() for to in ways} == {*flow.steps}


Flowing.TestCase.settings = settings(max_examples=examples(20), stateful_step_count=40)
TestFlowing = Flowing.TestCase
