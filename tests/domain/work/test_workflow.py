"""A workflow: what makes it valid, how it changes, and where tasks are afterwards."""

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given as forall
from hypothesis import strategies as st
from msgspec.structs import replace

from domain.work.task.errors import TransitionNotAllowed
from domain.work.task.events import TaskDeleted, TaskRestored, TaskStatus, TaskStatusChanged
from domain.work.task.status import change_status, leave_gone_status
from domain.work.workflow.errors import UnknownStatus, WorkflowNotValid
from domain.work.workflow.events import FINISHED, STARTED, Guard, Preset, StatusGroup, Transition
from domain.work.workflow.state import (
    FREE,
    MOVED_MAX,
    PRESETS,
    STANDARD,
    STATUSES_MAX,
    Status,
    Workflow,
    preset_of,
)
from tests.domain.spec import NOW, QUICK, given
from tests.domain.work.changes import OPEN

TODO, DOING, REVIEW, DONE, CANCELLED = StatusGroup
BLOCKER, SUBTASK = Guard


def status(key: str, group: StatusGroup, **about: object) -> Status:
    """Return a status whose name is its key in lower case."""
    return Status(key=key, name=key.lower(), group=group, **about)  # type: ignore[arg-type]  # of any field


def step(at: str, to: str, *guards: Guard) -> Transition:
    return Transition(from_=at, to=to, guards=guards)


IDEA, BUILD, TEST, LIVE = (
    status("IDEA", TODO),
    status("BUILD", DOING, wip_limit=3),
    status("TEST", REVIEW),
    status("LIVE", DONE),
)
LINE = (step("IDEA", "BUILD"), step("BUILD", "TEST"), step("TEST", "LIVE", *Guard))
OWN = Workflow(version=2, statuses=(IDEA, BUILD, TEST, LIVE), transitions=LINE)


def defined(
    workflow: Workflow,
    statuses: Sequence[Status],
    transitions: Sequence[Transition],
    moved: Mapping[str, str] | None = None,
) -> Workflow:
    """Return *workflow* after it was replaced."""
    [event] = workflow.define(statuses, transitions, moved or {}, workflow.version + 1)
    return workflow.evolve(event)


def test_work_has_begun_in_two_groups_and_ended_in_two_others() -> None:
    assert {DOING, REVIEW} == STARTED
    assert {DONE, CANCELLED} == FINISHED


@pytest.mark.parametrize("workflow", PRESETS.values())
def test_the_presets_have_the_five_groups_as_statuses(workflow: Workflow) -> None:
    assert [one.key for one in workflow.statuses] == [*TaskStatus] == [*StatusGroup]
    assert all(one.group == one.key for one in workflow.statuses)
    assert preset_of(workflow.statuses, workflow.transitions) is workflow.preset
    assert workflow.start.key == "TODO"


def test_in_the_free_preset_any_status_leads_to_any_other_one() -> None:
    assert {(t.from_, t.to) for t in FREE.transitions} == {
        (a.value, b.value) for a in StatusGroup for b in StatusGroup if a is not b
    }
    assert not any(one.guards for one in FREE.transitions)


def test_in_the_standard_preset_only_what_leads_to_done_has_guards() -> None:
    assert {(t.to == "DONE", t.guards) for t in STANDARD.transitions} == {
        (True, (BLOCKER, SUBTASK)),
        (False, ()),
    }


def test_a_workflow_is_defined_with_its_names_limits_and_guards() -> None:
    workflow = defined(STANDARD, OWN.statuses, LINE, {"TODO": "IDEA"})

    assert workflow == replace(OWN, moved={"TODO": "IDEA"})
    assert (workflow.preset, workflow.version) == (None, 2)
    assert workflow.steps["TEST"] == {"LIVE": (BLOCKER, SUBTASK)}
    assert workflow.status("BUILD").wip_limit == 3


def test_the_same_workflow_again_records_nothing_and_a_preset_is_recognized() -> None:
    assert OWN.define(OWN.statuses, LINE, {}, 9) == []
    assert defined(OWN, STANDARD.statuses, STANDARD.transitions).preset is Preset.STANDARD


def test_erased_names_are_replaced_by_the_keys() -> None:
    [event] = STANDARD.define(OWN.statuses, LINE, {}, 2)

    found = STANDARD.evolve(replace(event, names="[erased]"))

    assert [one.name for one in found.statuses[1:]] == ["BUILD", "TEST", "LIVE"]


LAST = step("TEST", "IDEA")
TWICE = step("TEST", "IDEA", BLOCKER, BLOCKER)
APART = step("IDEA", "LIVE"), step("BUILD", "TEST"), step("TEST", "BUILD")
WRONG: dict[str, tuple[Sequence[Status], Sequence[Transition], Mapping[str, str]]] = {
    "a workflow has at most": ([], [], {}),
    "the key IDEA is used twice": ([*OWN.statuses, replace(IDEA, name="other")], LINE, {}),
    "the name idea is used twice": ([*OWN.statuses, replace(IDEA, key="OTHER")], LINE, {}),
    "no status is in the group TODO": ([BUILD, LIVE], [step("BUILD", "LIVE")], {}),
    "no status is in the group DONE": ([IDEA, BUILD], [step("IDEA", "BUILD")], {}),
    "the transition from TEST to IDEA is there twice": (OWN.statuses, [*LINE, LAST, LAST], {}),
    "one of which is no status": (OWN.statuses, [*LINE, step("TEST", "HEAVEN")], {}),
    "leads from TEST to itself": (OWN.statuses, [*LINE, step("TEST", "TEST")], {}),
    "a guard from TEST to IDEA": (
        OWN.statuses,
        [*LINE, step("TEST", "IDEA", BLOCKER, BLOCKER)],
        {},
    ),
    "no transitions lead to LIVE": (OWN.statuses, LINE[:-1], {}),
    "no transitions lead to BUILD": (OWN.statuses, APART, {}),
    "moved names DONE, which is still": (STANDARD.statuses, FREE.transitions, {"DONE": "TODO"}),
    "moved names HELL, which is not": (OWN.statuses, LINE, {"HELL": "IDEA"}),
    "moved leads to HEAVEN": (OWN.statuses, LINE, {"TODO": "HEAVEN"}),
    "moved leads from DONE to IDEA": (OWN.statuses, LINE, {"DONE": "IDEA"}),
    "moved leads from TODO to LIVE": (OWN.statuses, LINE, {"TODO": "LIVE"}),
}


@pytest.mark.parametrize("problem", WRONG)
def test_a_workflow_that_no_task_could_live_by_is_refused(problem: str) -> None:
    with pytest.raises(WorkflowNotValid) as refused:
        STANDARD.define(*WRONG[problem], 2)

    assert problem in refused.value.details["problem"]


def test_a_workflow_has_a_bounded_size() -> None:
    def of(count: int) -> tuple[list[Status], list[Transition]]:
        statuses = [IDEA, LIVE, *(status(f"S{n}", DOING) for n in range(count - 2))]
        return statuses, [step("IDEA", one.key) for one in statuses[1:]]

    assert len(defined(STANDARD, *of(STATUSES_MAX)).statuses) == 30
    with pytest.raises(WorkflowNotValid):
        STANDARD.define(*of(STATUSES_MAX + 1), {}, 2)


def test_at_most_a_hundred_gone_statuses_lead_to_others() -> None:
    full = replace(OWN, moved={f"G{n}": "IDEA" for n in range(MOVED_MAX)})
    fewer = [IDEA, BUILD, LIVE], [step("IDEA", "BUILD"), step("BUILD", "LIVE")]

    assert len(defined(full, *fewer).moved) == MOVED_MAX
    with pytest.raises(WorkflowNotValid):
        full.define(*fewer, {"TEST": "BUILD"}, 3)


FEWER = (IDEA, BUILD, LIVE), (step("IDEA", "BUILD"), step("BUILD", "LIVE"))


def to_be_empty(
    workflow: Workflow,
    statuses: Sequence[Status],
    transitions: Sequence[Transition],
    moved: Mapping[str, str],
) -> set[tuple[str, str]]:
    [event] = workflow.define(statuses, transitions, moved, 9)
    return {*workflow.to_be_empty(event)}


def test_what_must_be_empty_are_statuses_that_go_or_change_their_group() -> None:
    moved = defined(OWN, *FEWER, {"TEST": "BUILD"})
    build = replace(BUILD, group=REVIEW)

    assert to_be_empty(OWN, *FEWER, {}) == {("TEST", "TEST")}
    assert to_be_empty(OWN, *FEWER, {"TEST": "BUILD"}) == set()
    assert to_be_empty(OWN, (IDEA, build, TEST, LIVE), LINE, {}) == {("BUILD", "BUILD")}
    assert to_be_empty(moved, (IDEA, LIVE), [step("IDEA", "LIVE")], {}) == {
        ("BUILD", "BUILD"),
        ("TEST", "BUILD"),
    }
    assert to_be_empty(moved, OWN.statuses, LINE, {}) == {("TEST", "BUILD")}


def test_statuses_that_are_gone_lead_on_when_their_new_one_goes_too() -> None:
    once = defined(OWN, *FEWER, {"TEST": "BUILD"})
    twice = defined(once, (IDEA, LIVE), [step("IDEA", "LIVE")], {"BUILD": "IDEA"})

    assert twice.moved == {"TEST": "IDEA", "BUILD": "IDEA"}
    assert twice.place("TEST", REVIEW) == IDEA
    assert twice.keys_of("IDEA") == ("IDEA", "TEST", "BUILD")
    assert twice.keys_of("LIVE") == ("LIVE",)
    assert defined(twice, OWN.statuses, LINE).moved == {}


def test_a_task_is_in_the_status_that_its_own_moved_to() -> None:
    workflow = defined(STANDARD, OWN.statuses, LINE, {"TODO": "IDEA", "IN_PROGRESS": "TEST"})
    task = replace(OPEN, status="IN_PROGRESS", group=DOING)

    [moved] = change_status(task, workflow, "LIVE")

    before, both = STANDARD.by_key["IN_PROGRESS"], (BLOCKER, SUBTASK)
    assert moved == TaskStatusChanged.between(before, LIVE, workflow_version=2, guards=both)
    assert change_status(OPEN, workflow, "IDEA") == []
    with pytest.raises(UnknownStatus) as unknown:
        change_status(OPEN, workflow, "TODO")
    assert unknown.value.details["statuses"] == ["IDEA", "BUILD", "TEST", "LIVE"]
    with pytest.raises(TransitionNotAllowed) as refused:
        change_status(OPEN, workflow, "LIVE")
    assert refused.value.details == {"at": "IDEA", "to": "LIVE", "allowed": ["BUILD"]}


def test_a_path_has_the_guards_of_each_step() -> None:
    workflow = replace(OWN, transitions=(*LINE, step("IDEA", "TEST", BLOCKER)))
    task = replace(OPEN, status="IDEA")

    steps = change_status(task, workflow, "LIVE", via_path=True)

    assert [(s.to, s.guards) for s in steps] == [
        ("TEST", (BLOCKER,)),
        ("LIVE", (BLOCKER, SUBTASK)),
    ]


def test_force_passes_the_guards_and_says_which() -> None:
    test = replace(OPEN, status="TEST", group=REVIEW)
    idea = replace(OPEN, status="IDEA", group=TODO)

    [forced] = change_status(test, OWN, "LIVE", force=True)
    [unneeded] = change_status(idea, OWN, "BUILD", force=True)

    assert isinstance(forced, TaskStatusChanged)
    assert isinstance(unneeded, TaskStatusChanged)
    assert (forced.forced, forced.guards, forced.past_guards) == (True, (), (BLOCKER, SUBTASK))
    assert (unneeded.forced, unneeded.guards, unneeded.past_guards) == (False, (), ())


@pytest.mark.parametrize(
    ("key", "group", "to"),
    [
        ("IDEA", TODO, None),
        ("GONE", REVIEW, "TEST"),
        ("GONE", CANCELLED, "LIVE"),
        ("LIVE", REVIEW, "TEST"),  # its status is a finished one now
    ],
)
def test_a_restored_task_whose_status_went_meanwhile_gets_one_like_it(
    key: str, group: StatusGroup, to: str | None
) -> None:
    task = given(replace(OPEN, status=key, group=group), TaskDeleted())

    events = leave_gone_status(given(task, TaskRestored()), OWN, NOW)

    assert [one.to for one in events if isinstance(one, TaskStatusChanged)] == (
        [] if to is None else [to]
    )


KEYS = st.sampled_from(["A", "B", "C", "D", "E", "F"])
WORKFLOWS = st.dictionaries(KEYS, st.sampled_from([DOING, REVIEW, DONE, CANCELLED]), max_size=4)


@QUICK
@forall(st.lists(st.tuples(WORKFLOWS, st.dictionaries(KEYS, KEYS)), max_size=8))
def test_a_task_keeps_being_open_or_finished_however_its_workflow_changes(
    wanted: list[tuple[dict[str, StatusGroup], dict[str, str]]],
) -> None:
    workflow = OWN
    tasks = [(one.key, one.group) for one in OWN.statuses]
    for others, moved in wanted:
        statuses = [IDEA, LIVE, *(status(key, group) for key, group in others.items())]
        steps = [step("IDEA", one.key) for one in statuses[1:]]
        try:
            [event] = workflow.define(statuses, steps, moved, workflow.version + 1)
        except (WorkflowNotValid, ValueError):
            continue
        empty = {key for key, _ in workflow.to_be_empty(event)}
        tasks = [(key, group) for key, group in tasks if key not in empty]
        here = {(key, workflow.place(key, group).key) for key, group in tasks}
        workflow = workflow.evolve(event)
        for key, before in here:
            group = next(g for k, g in tasks if k == key)
            after = workflow.place(key, group)
            assert after.key == moved.get(before, before)
            assert (after.group in FINISHED) is (group in FINISHED)
        tasks += [(one.key, one.group) for one in workflow.statuses]
