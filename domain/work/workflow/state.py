"""Workflow: the statuses of a project's tasks and the transitions between them.

Invariants
    1. It has a status in the group TODO, in which tasks begin, and one in the group DONE.
    2. Every status can be reached from the first one.
    3. A status that tasks have is neither removed, unless ``moved`` names another one for them, nor
       put into another group. The append counts them (``commands/reservations.py``).

A task keeps the key that it had when its status was removed. Whoever reads it asks ``place`` for
the status that it has now, so that redefining a workflow takes the same time for any number of
tasks. A status in ``moved`` is open if the new one is, and finished if the new one is: the counts
of open subtasks and blockers never depend on it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import force_setattr, replace

from domain.work.workflow.errors import UnknownStatus, WorkflowNotValid
from domain.work.workflow.events import (
    FINISHED,
    Guard,
    Preset,
    StatusGroup,
    StatusRule,
    Transition,
    WorkflowDefined,
)

T = TypeVar("T")

STATUSES_MAX = 30
"""So many columns no board shows; all of them may lead to each other."""
TRANSITIONS_MAX = STATUSES_MAX * (STATUSES_MAX - 1)
_TODO = StatusGroup.TODO  # a member of an enumeration is looked up in 70 ns

MOVED_MAX = 100
"""Statuses that are gone and still lead to one that is there."""


class Status(StatusRule, frozen=True, kw_only=True, rename="camel", gc=False):
    """A status as people see it."""

    name: str

    @property
    def open(self) -> bool:
        """Whether a task in it is not finished."""
        return self.group not in FINISHED


class Workflow(Struct, frozen=True, kw_only=True, gc=False):
    """The statuses in the order of the board's columns, and the steps between them.

    ``preset`` is None for a project's own. ``version`` is the version of the project
    at which it was defined.
    """

    preset: Preset | None = None
    version: int = 1
    statuses: tuple[Status, ...]
    transitions: tuple[Transition, ...]
    moved: dict[str, str] = {}

    by_key: dict[str, Status] = {}
    steps: dict[str, dict[str, tuple[Guard, ...]]] = {}
    """The guards of each transition by where it leads from and to."""

    def __post_init__(self) -> None:
        steps: dict[str, dict[str, tuple[Guard, ...]]] = {one.key: {} for one in self.statuses}
        for one in self.transitions:
            steps.setdefault(one.from_, {})[one.to] = one.guards
        force_setattr(self, "by_key", {one.key: one for one in self.statuses})
        force_setattr(self, "steps", steps)

    @property
    def start(self) -> Status:
        """The status in which tasks begin."""
        return next(one for one in self.statuses if one.group is _TODO)

    def status(self, key: str) -> Status:
        """Return the status with *key*.

        :raises UnknownStatus: there is none.
        """
        found = self.by_key.get(key)
        if found is None:
            raise UnknownStatus(key=key, statuses=[*self.by_key])
        return found

    def place(self, key: str, group: StatusGroup) -> Status:
        """Return the status that a task has now which was last put into *key* of *group*.

        One that was in the trash while its status went gets a status that means about the same.
        """
        found = self.by_key.get(self.moved.get(key, key))
        is_open = group not in FINISHED
        if found is not None and found.open is is_open:
            return found
        alike = [one for one in self.statuses if one.open is is_open]
        return next((one for one in alike if one.group is group), alike[0])

    def keys_of(self, key: str) -> tuple[str, ...]:
        """Return the keys that tasks have which are in the status *key* now."""
        return (key, *(old for old, to in self.moved.items() if to == key))

    def path(self, at: str, to: str) -> Sequence[str] | None:
        """Return the shortest way between two statuses, both included; None if there is none."""
        paths: list[tuple[str, ...]] = [(at,)]
        seen = {at}
        for path in paths:
            if path[-1] == to:
                return path
            ahead = [key for key in self.steps[path[-1]] if key not in seen]
            seen.update(ahead)
            paths += [(*path, key) for key in ahead]
        return None

    def to_be_empty(self, defined: WorkflowDefined) -> Iterator[tuple[str, str]]:
        """Yield the keys that no task may have for *defined* to take effect.

        Each comes with the status whose tasks would have it.
        """
        groups = {one.key: one.group for one in defined.statuses}
        for one in self.statuses:
            if groups.get(one.key) is not one.group and one.key not in defined.moved:
                yield from ((key, one.key) for key in self.keys_of(one.key))
        for key in groups:
            if key in self.moved:
                yield key, self.moved[key]

    def evolve(self, defined: WorkflowDefined) -> "Workflow":
        """Return the workflow after *defined*."""
        names = dict(enumerate(defined.names.split("\n")))  # one, if they are erased
        statuses = tuple(
            Status(key=r.key, name=names.get(n, r.key), group=r.group, wip_limit=r.wip_limit)
            for n, r in enumerate(defined.statuses)
        )
        here = {one.key for one in statuses}
        led = {old: defined.moved.get(to, to) for old, to in self.moved.items()} | defined.moved
        return Workflow(
            preset=preset_of(statuses, defined.transitions),
            version=defined.version,
            statuses=statuses,
            transitions=defined.transitions,
            moved={old: to for old, to in led.items() if old not in here and to in here},
        )

    def without_names(self) -> "Workflow":
        """Return the same workflow, its statuses named by their keys."""
        return Workflow(
            version=self.version,
            statuses=tuple(replace(one, name=one.key) for one in self.statuses),
            transitions=self.transitions,
            moved=self.moved,
        )

    def define(
        self,
        statuses: Sequence[Status],
        transitions: Sequence[Transition],
        moved: Mapping[str, str],
        version: int,
    ) -> list[WorkflowDefined]:
        """Replace the statuses and transitions; nothing is recorded if they are the same.

        :raises WorkflowNotValid: no task could live by it.
        """
        if (*statuses,) == self.statuses and (*transitions,) == self.transitions:
            return []
        for problem in (*problems(statuses, transitions), *self._wrongly_moved(statuses, moved)):
            raise WorkflowNotValid(problem=problem)
        rules = (StatusRule(key=s.key, group=s.group, wip_limit=s.wip_limit) for s in statuses)
        defined = WorkflowDefined(
            version=version,
            statuses=tuple(rules),
            names="\n".join(one.name for one in statuses),
            transitions=tuple(transitions),
            moved=dict(moved),
        )
        if len(self.evolve(defined).moved) > MOVED_MAX:
            raise WorkflowNotValid(problem=f"more than {MOVED_MAX} statuses would have moved")
        return [defined]

    def _wrongly_moved(self, statuses: Sequence[Status], moved: Mapping[str, str]) -> Iterator[str]:
        here = {one.key: one for one in statuses}
        for old, to in moved.items():
            if old in here:
                yield f"moved names {old}, which is still a status"
            elif old not in self.by_key:
                yield f"moved names {old}, which is not a status"
            elif to not in here:
                yield f"moved leads to {to}, which is not a status"
            elif here[to].open is not self.by_key[old].open:
                yield f"moved leads from {old} to {to}, but only one of them is finished"


def problems(statuses: Sequence[Status], transitions: Sequence[Transition]) -> Iterator[str]:
    """Yield what is wrong with a workflow."""
    keys = [one.key for one in statuses]
    if not 1 <= len(keys) <= STATUSES_MAX or len(transitions) > TRANSITIONS_MAX:
        yield f"a workflow has at most {STATUSES_MAX} statuses and {TRANSITIONS_MAX} transitions"
        return
    yield from (f"the key {key} is used twice" for key in _twice(keys))
    yield from (f"the name {name} is used twice" for name in _twice(one.name for one in statuses))
    for group in (StatusGroup.TODO, StatusGroup.DONE):
        if not any(one.group is group for one in statuses):
            yield f"no status is in the group {group}"
            return
    steps = [(one.from_, one.to) for one in transitions]
    yield from (f"the transition from {a} to {b} is there twice" for a, b in _twice(steps))
    for one in transitions:
        if not {one.from_, one.to} <= {*keys}:
            yield f"a transition leads from {one.from_} to {one.to}, one of which is no status"
            return
        if one.from_ == one.to:
            yield f"a transition leads from {one.from_} to itself"
        if [*_twice(one.guards)]:
            yield f"a guard from {one.from_} to {one.to} is there twice"
    yield from (f"no transitions lead to {key}" for key in _unreached(statuses, steps))


def _unreached(statuses: Sequence[Status], steps: Sequence[tuple[str, str]]) -> list[str]:
    reached = [next(one.key for one in statuses if one.group is StatusGroup.TODO)]
    for at in reached:
        reached += {to for from_, to in steps if from_ == at and to not in reached}
    return [one.key for one in statuses if one.key not in reached]


def _twice(items: Iterable[T]) -> Iterator[T]:
    seen: set[T] = set()
    for item in items:
        if item in seen:
            yield item
        seen.add(item)


# The presets ----------------------------------------------------------------

TASK_TRANSITIONS: dict[StatusGroup, tuple[StatusGroup, ...]] = {
    StatusGroup.TODO: (StatusGroup.IN_PROGRESS, StatusGroup.CANCELLED),
    StatusGroup.IN_PROGRESS: (
        StatusGroup.TODO,
        StatusGroup.IN_REVIEW,
        StatusGroup.DONE,
        StatusGroup.CANCELLED,
    ),
    StatusGroup.IN_REVIEW: (StatusGroup.IN_PROGRESS, StatusGroup.DONE, StatusGroup.CANCELLED),
    StatusGroup.DONE: (StatusGroup.TODO, StatusGroup.IN_PROGRESS),
    StatusGroup.CANCELLED: (StatusGroup.TODO,),
}
"""The standard workflow, whose statuses have the names of their groups."""

_STATUSES = tuple(
    Status(key=group.value, name=group.replace("_", " ").capitalize(), group=group)
    for group in StatusGroup
)
_BOTH = (Guard.NO_OPEN_BLOCKER, Guard.NO_OPEN_SUBTASK)

STANDARD = Workflow(
    preset=Preset.STANDARD,
    statuses=_STATUSES,
    transitions=tuple(
        Transition(from_=at, to=to, guards=_BOTH if to is StatusGroup.DONE else ())
        for at, ways in TASK_TRANSITIONS.items()
        for to in ways
    ),
)
"""The workflow of a project that says nothing else."""

FREE = Workflow(
    preset=Preset.FREE,
    statuses=_STATUSES,
    transitions=tuple(
        Transition(from_=at, to=to) for at in StatusGroup for to in StatusGroup if at is not to
    ),
)
"""Any status to any other one, and no guards."""

PRESETS = {Preset.STANDARD: STANDARD, Preset.FREE: FREE}


def preset_of(statuses: Sequence[Status], transitions: Sequence[Transition]) -> Preset | None:
    """Return which preset these are, None for a project's own."""
    for preset, workflow in PRESETS.items():
        if (*statuses,) == workflow.statuses and {*transitions} == {*workflow.transitions}:
            return preset
    return None
