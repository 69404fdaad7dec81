"""Events of a task template."""

from datetime import datetime

from msgspec import field

from domain.base import Event, Personal, ProjectId, UserId
from domain.planning.template.values import LEFT_OPEN, StartingValues


class TemplateCreated(Event, frozen=True, kw_only=True, omit_defaults=True, tag="template.created"):
    """A template for the tasks of a project or, without one, of all projects was created.

    A task starts with `title`, with `text` as its description, with `values`, and in custom fields
    with `fields` (JSON). `subtasks` are what its subtasks start with, and `subtaskTitles` their
    titles, one a line.
    """

    project_id: ProjectId | None = None
    name: Personal
    description: Personal | None = None
    title: Personal | None = None
    text: Personal | None = None
    values: StartingValues = LEFT_OPEN
    fields: Personal | None = None
    subtasks: tuple[StartingValues, ...] = ()
    subtask_titles: Personal | None = None
    created_by: UserId
    created_at: datetime


class TemplateRenamed(Event, frozen=True, kw_only=True, tag="template.renamed"):
    """A task template was renamed."""

    sets = ("name",)
    from_: Personal = field(name="from")
    to: Personal


class TemplateDescribed(Event, frozen=True, kw_only=True, tag="template.described"):
    """What a task template is for was described, or (null) no longer."""

    sets = ("description",)
    description: Personal | None


class TemplateTitled(Event, frozen=True, kw_only=True, tag="template.titled"):
    """The title that tasks get from a template changed; null is none."""

    sets = ("title",)
    from_: Personal | None = field(name="from")
    to: Personal | None


class TemplateTextChanged(Event, frozen=True, kw_only=True, tag="template.text_changed"):
    """The description that tasks get from a template changed; null is none."""

    sets = ("text",)
    text: Personal | None


class TemplateValuesChanged(Event, frozen=True, kw_only=True, tag="template.values_changed"):
    """The values that tasks get from a template changed."""

    from_: StartingValues = field(name="from")
    to: StartingValues

    def field_keys(self) -> tuple[str, ...]:
        names = StartingValues.__struct_fields__
        return tuple(n for n in names if getattr(self.from_, n) != getattr(self.to, n))


class TemplateFieldsChanged(Event, frozen=True, kw_only=True, tag="template.fields_changed"):
    """The values that tasks get from a template in custom fields changed; null is none."""

    sets = ("fields",)
    fields: Personal | None


class TemplateSubtasksChanged(
    Event, frozen=True, kw_only=True, omit_defaults=True, tag="template.subtasks_changed"
):
    """The subtasks that tasks get from a template changed; `subtaskTitles` has one a line."""

    sets = ("subtasks", "subtask_titles")
    subtasks: tuple[StartingValues, ...] = ()
    subtask_titles: Personal | None = None


class TemplateDeleted(Event, frozen=True, kw_only=True, omit_defaults=True, tag="template.deleted"):
    """A task template was moved to the trash, from which it can be restored."""

    sets = ("deleted",)
    hidden = ("projectId", "owner")
    project_id: ProjectId | None = None
    owner: UserId | None = None


class TemplateRestored(Event, frozen=True, kw_only=True, tag="template.restored"):
    """A task template was restored from the trash, unchanged."""

    sets = ("deleted",)


class TemplatePurged(Event, frozen=True, kw_only=True, tag="template.purged"):
    """The texts of a task template are gone for good."""

    sets = (
        "name", "description", "title", "text", "fields", "subtask_titles", "deleted", "purged"
    )  # fmt: skip


TemplateEvent = (
    TemplateCreated
    | TemplateRenamed
    | TemplateDescribed
    | TemplateTitled
    | TemplateTextChanged
    | TemplateValuesChanged
    | TemplateFieldsChanged
    | TemplateSubtasksChanged
    | TemplateDeleted
    | TemplateRestored
    | TemplatePurged
)
