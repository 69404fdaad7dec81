"""The company whose projects have workflows of their own, and the model of these.

The model moves every task at once when its status goes, which the product never does.
"""

from collections.abc import Sequence

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule
from msgspec import Struct, field

from domain.base import ProjectId, TaskId, UserId
from domain.work.workflow.events import FINISHED, Guard, Preset
from domain.work.workflow.events import StatusGroup as Group
from domain.work.workflow.state import TASK_TRANSITIONS
from tests.commands.machines.test_relations import Web
from tests.commands.machines.world import PEOPLE
from tests.commands.piece import Piece
from tests.domain.spec import ANA

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
