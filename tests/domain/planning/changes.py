"""What each event of planning changes, and on which state."""

from uuid import UUID

from domain.base import CycleId, Event, LabelId, MilestoneId, State
from domain.planning import criteria, cycle, field, inbox, milestone, view, worklog
from domain.planning.template import events as template
from domain.planning.template.state import TaskTemplate
from domain.planning.template.values import LEFT_OPEN, StartingValues
from domain.work.task.custom_field import FieldType
from domain.work.task.events import Priority
from tests.domain.spec import ACME, ANA, DAY, ENG, NOW, TASK, given

SIZE = given(
    field.Field(),
    field.FieldCreated(
        project_id=ENG,
        key="size",
        name="Size",
        kind=FieldType.SELECT,
        options=(field.OptionRule(key="s"),),
        option_names="Small",
        created_by=ANA,
        created_at=NOW,
    ),
)
DAYS = cycle.CycleDates(starts_on=NOW.date(), ends_on=NOW.date())
LONGER = cycle.CycleDates(starts_on=NOW.date(), ends_on=(NOW + DAY).date())
ONE = given(
    cycle.Cycle(),
    cycle.CycleCreated(project_id=ENG, name="One", dates=DAYS, created_by=ANA, created_at=NOW),
)
BETA = given(
    milestone.Milestone(),
    milestone.MilestoneCreated(project_id=ENG, name="Beta", created_by=ANA, created_at=NOW),
)
MINE = given(view.SavedView(), view.ViewCreated(name="Mine", created_by=ANA, created_at=NOW))
SPENT = given(
    worklog.Worklog(),
    worklog.WorklogAdded(
        task_id=TASK,
        user_id=ANA,
        minutes=30,
        day=NOW.date(),
        note="Oiled",
        created_by=ANA,
        created_at=NOW,
    ),
)
UNSPENT = worklog.WorklogDeleted(task_id=TASK, minutes=30, deleted_by=ANA)
FORM = given(TaskTemplate(), template.TemplateCreated(name="Form", created_by=ANA, created_at=NOW))
WORDY = template.TemplateCreated(
    name="Wordy",
    description="All about it",
    title="A bug",
    text="Steps:",
    fields='{"size":"s"}',
    subtasks=(LEFT_OPEN,),
    subtask_titles="Find it",
    created_by=ANA,
    created_at=NOW,
)
STARTING = StartingValues(
    status="TODO",
    priority=Priority.HIGH,
    estimate=3,
    labels=(LabelId(UUID(int=1)),),
    assignees=(ANA,),
    start_in=0,
    due_in=7,
    cycle_id=CycleId(UUID(int=2)),
    milestone_id=MilestoneId(UUID(int=3)),
)
RETIRED = (field.OptionRule(key="l"), field.OptionRule(key="s", retired=True))

PLANNING_CHANGES: list[tuple[State, Event, tuple[str, ...]]] = [
    (SIZE, field.FieldRenamed(project_id=ENG, from_="Size", to="Extent"), ("name",)),
    (
        SIZE,
        field.FieldOptionsChanged(project_id=ENG, options=RETIRED, option_names="Large\nSmall"),
        ("options", "retired", "option_names"),
    ),
    (SIZE, field.FieldDeleted(project_id=ENG), ("deleted",)),
    (
        given(SIZE, field.FieldDeleted(project_id=ENG)),
        field.FieldRestored(project_id=ENG),
        ("deleted",),
    ),
    (
        SIZE,
        field.FieldPurged(project_id=ENG),
        ("name", "option_names", "deleted", "purged"),
    ),
    (ONE, cycle.CyclePurged(project_id=ENG), ("name", "deleted", "purged")),
    (BETA, milestone.MilestonePurged(project_id=ENG), ("name", "deleted", "purged")),
    (ONE, cycle.CycleRenamed(project_id=ENG, from_="One", to="Two"), ("name",)),
    (ONE, cycle.CycleRescheduled(project_id=ENG, from_=DAYS, to=LONGER), ("ends_on",)),
    (ONE, cycle.CycleDeleted(project_id=ENG), ("deleted",)),
    (
        given(ONE, cycle.CycleDeleted(project_id=ENG)),
        cycle.CycleRestored(project_id=ENG),
        ("deleted",),
    ),
    (BETA, milestone.MilestoneRenamed(project_id=ENG, from_="Beta", to="GA"), ("name",)),
    (BETA, milestone.MilestoneDated(project_id=ENG, from_=None, to=NOW.date()), ("due_on",)),
    (BETA, milestone.MilestoneDeleted(project_id=ENG), ("deleted",)),
    (
        given(BETA, milestone.MilestoneDeleted(project_id=ENG)),
        milestone.MilestoneRestored(project_id=ENG),
        ("deleted",),
    ),
    (MINE, view.ViewRenamed(from_="Mine", to="Ours"), ("name",)),
    (MINE, view.ViewShared(), ("shared",)),
    (given(MINE, view.ViewShared()), view.ViewUnshared(), ("shared",)),
    (
        MINE,
        view.ViewFiltered(criteria=criteria.Criteria(overdue=True), values="size:s"),
        ("criteria", "values"),
    ),
    (MINE, view.ViewSorted(from_="newest", to="-due"), ("sort",)),
    (MINE, view.ViewColumnsChanged(columns=("title",)), ("columns",)),
    (MINE, view.ViewDeleted(), ("deleted",)),
    (given(MINE, view.ViewDeleted()), view.ViewRestored(), ("deleted",)),
    (
        given(MINE, view.ViewFiltered(values="size:s")),
        view.ViewPurged(),
        ("name", "values", "deleted", "purged"),
    ),
    (FORM, template.TemplateRenamed(from_="Form", to="Bug"), ("name",)),
    (FORM, template.TemplateDescribed(description="For bugs"), ("description",)),
    (FORM, template.TemplateTitled(from_=None, to="A bug"), ("title",)),
    (FORM, template.TemplateTextChanged(text="Steps:"), ("text",)),
    (
        FORM,
        template.TemplateValuesChanged(from_=LEFT_OPEN, to=STARTING),
        StartingValues.__struct_fields__,
    ),
    (FORM, template.TemplateFieldsChanged(fields='{"size":"s"}'), ("fields",)),
    (
        FORM,
        template.TemplateSubtasksChanged(subtasks=(LEFT_OPEN,), subtask_titles="Find it"),
        ("subtasks", "subtask_titles"),
    ),
    (FORM, template.TemplateDeleted(), ("deleted",)),
    (given(FORM, template.TemplateDeleted()), template.TemplateRestored(), ("deleted",)),
    (
        given(TaskTemplate(), WORDY),
        template.TemplatePurged(),
        template.TemplatePurged.sets,
    ),
    (inbox.Inbox(), inbox.InboxRead(up_to_seq=7, at=NOW), ("read_up_to", "read_at")),
    (inbox.Inbox(), inbox.NoticeArchived(notice="7"), ("archived",)),
    (inbox.Inbox(), inbox.NoticeSnoozed(notice="7", until=NOW), ("snoozed:7",)),
    (
        inbox.Inbox(),
        inbox.DigestSwitched(user_id=ANA, organization_id=ACME, on=True, at=NOW),
        ("user_id", "organization_id", "digest", "digest_at"),
    ),
    (
        inbox.Inbox(),
        inbox.DigestDue(user_id=ANA, organization_id=ACME, at=NOW),
        ("digest_at",),
    ),
    (
        SPENT,
        worklog.WorklogChanged(task_id=TASK, minutes=5, by=-25, day=(NOW + DAY).date(), note="Oil"),
        ("minutes", "day", "note"),
    ),
    (SPENT, UNSPENT, ("deleted", "deleted_by")),
    (
        given(SPENT, UNSPENT),
        worklog.WorklogRestored(task_id=TASK, minutes=30),
        ("deleted", "deleted_by"),
    ),
    (
        SPENT,
        worklog.WorklogImported(task_id=TASK, external_id="7", occurred_at=NOW, author="Cleo"),
        ("external_id", "occurred_at", "author"),
    ),
    (
        given(
            SPENT,
            worklog.WorklogImported(task_id=TASK, external_id="7", occurred_at=NOW, author="Cleo"),
        ),
        worklog.WorklogPurged(task_id=TASK),
        ("note", "deleted", "purged", "external_id", "occurred_at", "author"),
    ),
]

PLANNING_CREATIONS: set[type[Event]] = {
    cycle.CycleCreated,
    field.FieldCreated,
    milestone.MilestoneCreated,
    view.ViewCreated,
    worklog.WorklogAdded,
    template.TemplateCreated,
}
