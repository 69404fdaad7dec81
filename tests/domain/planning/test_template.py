"""A task template: what tasks start with, its subtasks, its deletion."""

from typing import Any

from hypothesis import given as forall
from hypothesis import strategies as st

from domain.base import ERASED, NotFound
from domain.planning.template.events import (
    TemplateCreated,
    TemplateDeleted,
    TemplateDescribed,
    TemplateEvent,
    TemplateFieldsChanged,
    TemplatePurged,
    TemplateRenamed,
    TemplateRestored,
    TemplateSubtasksChanged,
    TemplateTextChanged,
    TemplateTitled,
    TemplateValuesChanged,
)
from domain.planning.template.state import TaskTemplate
from domain.planning.template.values import (
    LEFT_OPEN,
    StartingValues,
    Subtask,
    field_inputs,
    joined_fields,
)
from domain.work.task.custom_field import FIELD_NUMBER_MAX
from domain.work.task.errors import StartsAfterDue
from domain.work.task.events import Priority
from tests.domain.spec import ANA, ENG, NOW, QUICK, check_refused, events_of, given


def created(**about: Any) -> TemplateCreated:
    details: dict[str, Any] = {"project_id": ENG, "created_by": ANA, "created_at": NOW}
    return TemplateCreated(name="Bug", **(details | about))


BUG = given(TaskTemplate(), created())
GONE = given(BUG, TemplateDeleted())
HIGH = StartingValues(priority=Priority.HIGH, start_in=1, due_in=1)
NUMBERS = st.floats(-FIELD_NUMBER_MAX, FIELD_NUMBER_MAX)
FIND, FIX = Subtask(title="Find it"), Subtask(title="Fix it", values=HIGH)
LISTED = TemplateSubtasksChanged(subtasks=(LEFT_OPEN, HIGH), subtask_titles="Find it\nFix it")


def test_a_template_has_what_it_was_created_with() -> None:
    full = given(
        TaskTemplate(),
        created(
            description="For bugs",
            title="A bug",
            text="Steps:",
            values=HIGH,
            fields='{"size":"s"}',
            subtasks=LISTED.subtasks,
            subtask_titles=LISTED.subtask_titles,
        ),
    )

    assert (full.project_id, full.name, full.description) == (ENG, "Bug", "For bugs")
    assert (full.title, full.text, full.values) == ("A bug", "Steps:", HIGH)
    assert full.field_values == {"size": "s"}
    assert full.listed_subtasks == (FIND, FIX)
    assert (BUG.values, BUG.field_values, BUG.listed_subtasks) == (LEFT_OPEN, {}, ())


def test_what_a_template_says_is_recorded_when_it_changes() -> None:
    assert BUG.rename("Defect") == [TemplateRenamed(from_="Bug", to="Defect")]
    assert BUG.describe("For bugs") == [TemplateDescribed(description="For bugs")]
    assert BUG.title_tasks("A bug") == [TemplateTitled(from_=None, to="A bug")]
    assert BUG.describe_tasks("Steps:") == [TemplateTextChanged(text="Steps:")]
    assert BUG.begin_with(HIGH) == [TemplateValuesChanged(from_=LEFT_OPEN, to=HIGH)]
    assert BUG.list_subtasks([FIND, FIX]) == [LISTED]
    assert BUG.rename("Bug") == BUG.describe(None) == BUG.title_tasks(None) == []
    assert BUG.describe_tasks(None) == BUG.begin_with(LEFT_OPEN) == BUG.list_subtasks([]) == []
    listed = given(BUG, LISTED)
    assert listed.list_subtasks([FIND, FIX]) == []
    assert listed.list_subtasks([FIX, FIND]) != []
    assert listed.list_subtasks([]) == [TemplateSubtasksChanged()]


def test_values_of_custom_fields_are_set_and_removed_one_by_one() -> None:
    assert BUG.fill_in({"size": None}) == BUG.fill_in({}) == []
    [filled] = BUG.fill_in({"size": "s", "points": 3.0, "tags": ("a", "b")})
    assert filled == TemplateFieldsChanged(fields='{"points":3,"size":"s","tags":["a","b"]}')
    full = given(BUG, filled)
    assert full.fill_in({"size": "s", "points": 3}) == []
    assert full.fill_in({"size": None, "points": None}) == [
        TemplateFieldsChanged(fields='{"tags":["a","b"]}')
    ]
    emptied = full.fill_in(dict.fromkeys(["size", "points", "tags"]))
    assert emptied == [TemplateFieldsChanged(fields=None)]


def test_what_an_event_says_of_values_is_which_of_them_it_changes() -> None:
    changed = TemplateValuesChanged(from_=HIGH, to=StartingValues(priority=Priority.LOW, due_in=1))

    assert changed.field_keys() == ("priority", "start_in")


def test_no_task_starts_after_it_is_due() -> None:
    late = StartingValues(start_in=2, due_in=1)
    subtask = Subtask(title="Late", values=late)

    check_refused(
        StartsAfterDue,
        lambda: TaskTemplate().create(created(values=late)),
        lambda: TaskTemplate().create(created(subtasks=(late,), subtask_titles="Late")),
        lambda: BUG.begin_with(late),
        lambda: BUG.list_subtasks([FIND, subtask]),
    )
    for alone in (StartingValues(start_in=2), StartingValues(due_in=0)):
        assert BUG.begin_with(alone)


def test_creating_a_template_again_records_nothing() -> None:
    assert TaskTemplate().create(created()) == [created()]
    assert BUG.create(created()) == []


def test_a_template_in_the_trash_can_only_be_restored() -> None:
    check_refused(
        NotFound,
        lambda: GONE.rename("X"),
        lambda: GONE.describe("X"),
        lambda: GONE.title_tasks("X"),
        lambda: GONE.describe_tasks("X"),
        lambda: GONE.begin_with(HIGH),
        lambda: GONE.fill_in({"size": "s"}),
        lambda: GONE.list_subtasks([FIND]),
        GONE.delete,
        TaskTemplate().delete,
        TaskTemplate().restore,
        given(GONE, TemplatePurged()).restore,
    )
    assert BUG.delete() == [TemplateDeleted(project_id=ENG, owner=ANA)]
    assert GONE.restore() == [TemplateRestored()]
    assert given(GONE, TemplateRestored()) == BUG
    assert BUG.restore() == []


def test_what_is_erased_keeps_its_shape() -> None:
    erased = given(TaskTemplate(), created(title=ERASED, fields=ERASED, text=ERASED), LISTED)
    purged = given(erased, TemplatePurged())

    assert erased.field_values == {}
    assert [each.title for each in purged.listed_subtasks] == [ERASED, ERASED]
    assert (purged.name, purged.title, purged.text, purged.fields) == (ERASED,) * 4
    assert purged.description is None
    unread = TemplateSubtasksChanged(subtasks=(HIGH, HIGH), subtask_titles=ERASED)
    assert given(BUG, unread).subtask_titles == (ERASED, ERASED)


@QUICK
@forall(st.dictionaries(st.text(), st.text() | NUMBERS | st.tuples(st.text())))
def test_values_of_fields_are_read_as_they_were_written(values: dict[str, Any]) -> None:
    assert field_inputs(joined_fields(values)) == values


@QUICK
@forall(st.lists(events_of(TemplateEvent), max_size=12))
def test_folding_never_raises(events: list[TemplateEvent]) -> None:
    folded = given(TaskTemplate(), *events)

    assert isinstance(folded, TaskTemplate)
    assert len(folded.listed_subtasks) == len(folded.subtasks)
    assert isinstance(folded.field_values, dict)
