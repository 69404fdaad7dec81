"""Task template: what a new task starts with, by a name, and the subtasks that it gets.

Invariants
    1. Without a project it is the whole organization's. Where it belongs never changes.
    2. Its name is unique where it belongs, whatever the case of its letters, while it is not in the
       trash; the append claims it (``commands/claims/templates.py``).
    3. It has at most ``SUBTASKS_MAX`` subtasks, which have none themselves.
    4. What it names need not be there for ever: a task that is created from it gets what is still
       there, and what its creator could give it.
    5. A deleted template can only be restored, and a purged one not even that.
    6. Setting something to the value it has records no event.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import ClassVar, assert_never, get_args

from msgspec import Struct
from msgspec.structs import replace

from domain.base import (
    ERASED,
    CycleId,
    Event,
    LabelId,
    MilestoneId,
    NotFound,
    ProjectId,
    UserId,
)
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
from domain.planning.template.values import (
    StartingValues,
    Subtask,
    field_inputs,
    joined_fields,
    subtask_titles,
    values_from,
    values_text,
)
from domain.work.task.custom_field import FieldInput
from domain.work.task.errors import StartsAfterDue
from domain.work.task.events import Priority

# State ----------------------------------------------------------------------


class TaskTemplate(Struct, frozen=True, kw_only=True, gc=False):
    """What the rules below need to know about a template, and what readers see of it.

    ``fields`` are the values of custom fields, and ``subtasks`` what each subtask starts with, as
    JSON, so that a read model can keep them.
    """

    platform: ClassVar[bool] = False
    folds: ClassVar[tuple[type[Event], ...]] = get_args(TemplateEvent)

    project_id: ProjectId | None = None
    name: str = ""
    description: str | None = None
    title: str | None = None
    text: str | None = None
    status: str | None = None
    priority: Priority | None = None
    estimate: int | None = None
    labels: tuple[LabelId, ...] = ()
    assignees: tuple[UserId, ...] = ()
    start_in: int | None = None
    due_in: int | None = None
    cycle_id: CycleId | None = None
    milestone_id: MilestoneId | None = None
    fields: str | None = None
    subtasks: tuple[str, ...] = ()
    subtask_titles: tuple[str, ...] = ()
    created_by: UserId | None = None
    created_at: datetime | None = None
    deleted: bool = False
    purged: bool = False

    def evolve(self, event: TemplateEvent) -> "TaskTemplate":
        match event:
            case TemplateCreated():
                return _created(event)
            case TemplateRenamed():
                return replace(self, name=event.to)
            case TemplateDescribed():
                return replace(self, description=event.description)
            case TemplateTitled():
                return replace(self, title=event.to)
            case TemplateTextChanged():
                return replace(self, text=event.text)
            case TemplateValuesChanged():
                return _with_values(self, event.to)
            case TemplateFieldsChanged():
                return replace(self, fields=event.fields)
            case TemplateSubtasksChanged():
                return _with_subtasks(self, event.subtasks, event.subtask_titles)
            case TemplateDeleted() | TemplateRestored():
                return replace(self, deleted=isinstance(event, TemplateDeleted))
            case TemplatePurged():
                return _erased(self)
            case _:
                assert_never(event)

    @property
    def values(self) -> StartingValues:
        """What a task starts with, besides texts and the values of custom fields."""
        names = StartingValues.__struct_fields__
        return StartingValues(**{name: getattr(self, name) for name in names})

    @property
    def field_values(self) -> dict[str, FieldInput]:
        """What it starts with in custom fields, by their keys."""
        return field_inputs(self.fields)

    @property
    def listed_subtasks(self) -> tuple[Subtask, ...]:
        """The subtasks that a task gets, in their order."""
        pairs = zip(self.subtask_titles, self.subtasks, strict=True)
        return tuple(Subtask(title=title, values=values_from(text)) for title, text in pairs)

    # Decisions: each returns the events to record; an empty list means that nothing changes.

    def create(self, created: TemplateCreated) -> list[TemplateEvent]:
        """Create the template; a repeated call is a retry and records nothing.

        :raises StartsAfterDue: a task would start after it is due.
        """
        if self.created_at is not None:
            return []
        for values in (created.values, *created.subtasks):
            _refuse_unless_in_order(values)
        return [created]

    def rename(self, name: str) -> list[TemplateEvent]:
        self.refuse_unless_here()
        return [] if name == self.name else [TemplateRenamed(from_=self.name, to=name)]

    def describe(self, description: str | None) -> list[TemplateEvent]:
        self.refuse_unless_here()
        if description == self.description:
            return []
        return [TemplateDescribed(description=description)]

    def title_tasks(self, title: str | None) -> list[TemplateEvent]:
        self.refuse_unless_here()
        return [] if title == self.title else [TemplateTitled(from_=self.title, to=title)]

    def describe_tasks(self, text: str | None) -> list[TemplateEvent]:
        self.refuse_unless_here()
        return [] if text == self.text else [TemplateTextChanged(text=text)]

    def begin_with(self, values: StartingValues) -> list[TemplateEvent]:
        """Let tasks begin with *values*.

        :raises StartsAfterDue: a task would start after it is due.
        """
        self.refuse_unless_here()
        before = self.values
        if values == before:
            return []
        _refuse_unless_in_order(values)
        return [TemplateValuesChanged(from_=before, to=values)]

    def fill_in(self, values: Mapping[str, FieldInput | None]) -> list[TemplateEvent]:
        """Set the values of some custom fields; None removes one."""
        self.refuse_unless_here()
        before = self.field_values
        after = {key: value for key, value in {**before, **values}.items() if value is not None}
        return [] if after == before else [TemplateFieldsChanged(fields=joined_fields(after))]

    def list_subtasks(self, subtasks: Sequence[Subtask]) -> list[TemplateEvent]:
        """Let tasks get these subtasks and no others.

        :raises StartsAfterDue: one would start after it is due.
        """
        self.refuse_unless_here()
        if (*subtasks,) == self.listed_subtasks:
            return []
        for each in subtasks:
            _refuse_unless_in_order(each.values)
        values = tuple(each.values for each in subtasks)
        return [TemplateSubtasksChanged(subtasks=values, subtask_titles=subtask_titles(subtasks))]

    def delete(self) -> list[TemplateEvent]:
        self.refuse_unless_here()
        return [TemplateDeleted(project_id=self.project_id, owner=self.created_by)]

    def restore(self) -> list[TemplateEvent]:
        if self.created_at is None or self.purged:
            raise NotFound
        return [TemplateRestored()] if self.deleted else []

    def refuse_unless_here(self) -> None:
        """Raise NotFound if the template was never created or is in the trash."""
        if self.created_at is None or self.deleted:
            raise NotFound


def _created(event: TemplateCreated) -> TaskTemplate:
    template = TaskTemplate(
        project_id=event.project_id,
        name=event.name,
        description=event.description,
        title=event.title,
        text=event.text,
        fields=event.fields,
        created_by=event.created_by,
        created_at=event.created_at,
    )
    given = _with_values(template, event.values)
    return _with_subtasks(given, event.subtasks, event.subtask_titles)


def _with_values(template: TaskTemplate, values: StartingValues) -> TaskTemplate:
    names = StartingValues.__struct_fields__
    return replace(template, **{name: getattr(values, name) for name in names})


def _with_subtasks(
    template: TaskTemplate, subtasks: Sequence[StartingValues], titles: str | None
) -> TaskTemplate:
    """Return a template with these subtasks, whose titles may be erased."""
    told = [] if titles is None else titles.split("\n")
    named = told if len(told) == len(subtasks) else [ERASED] * len(subtasks)
    return replace(
        template, subtasks=tuple(map(values_text, subtasks)), subtask_titles=tuple(named)
    )


def _erased(template: TaskTemplate) -> TaskTemplate:
    return replace(
        template,
        name=ERASED,
        description=None if template.description is None else ERASED,
        title=None if template.title is None else ERASED,
        text=None if template.text is None else ERASED,
        fields=None if template.fields is None else ERASED,
        subtask_titles=(ERASED,) * len(template.subtasks),
        deleted=True,
        purged=True,
    )


def _refuse_unless_in_order(values: StartingValues) -> None:
    start, due = values.start_in, values.due_in
    if start is not None and due is not None and start > due:
        raise StartsAfterDue(start=start, due=due)
