"""Any sequence of commands on workflows and on what they let tasks do, beside the model."""

from collections.abc import Callable, Mapping

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule
from msgspec.structs import replace

from commands.identity.organization import ChangePlan
from commands.work.workflow import DefineWorkflow
from domain.base import ProjectId, UserId
from domain.identity.plan import Plan
from domain.permission import Permission
from domain.work.workflow.events import FINISHED, Guard, Preset, Transition
from domain.work.workflow.events import StatusGroup as Group
from domain.work.workflow.state import PRESETS, Status
from tests.commands.machines.flowing import GUARDS, MOVED, POOL, SHAPES, Flow, Flowing
from tests.commands.machines.patience import examples
from tests.commands.machines.test_relations import Web
from tests.commands.machines.world import PEOPLE
from tests.domain.spec import ACME


def drop(statuses: list[Status], group: Group) -> None:
    """Leave out the statuses of a group."""
    statuses[:] = [each for each in statuses if each.group is not group]


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
    "no status to finish in": lambda statuses, _: drop(statuses, Group.DONE),
    "no status to begin in": lambda statuses, _: drop(statuses, Group.TODO),
}
"""What is done to a workflow that no task could live by then."""


class Redefining(Flowing):
    """The company, which changes these workflows and its plan."""

    projects, tasks = Web.projects, Web.tasks

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


Redefining.TestCase.settings = settings(max_examples=examples(20), stateful_step_count=40)
TestRedefining = Redefining.TestCase
